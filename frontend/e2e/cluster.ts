import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BIN, DIST } from './server';

/** Where the other programs are: beside the product in one process. */
const BINARIES = dirname(BIN);

/** What `cluster.json` says (docs/protocol.md §7), as far as tests want to know. */
interface Description {
  url: string;
  chatNodes: { nodeId: string; pid: number; port: number }[];
}

/** Redis, nginx, the gateway, the admin API and chat-nodes, as processes of a test's own. */
export class Cluster {
  readonly password = 'correct horse battery staple';
  #child!: ChildProcess;
  /** Nodes that were started again, by us. */
  readonly #own = new Map<string, ChildProcess>();
  #dir!: string;
  #description!: Description;

  get url(): string {
    return this.#description.url;
  }

  /** nginx's. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** `env` is for every service. */
  async start(nodes: number, env: Record<string, string> = {}): Promise<void> {
    this.#dir = await mkdtemp(join(tmpdir(), 'roomful-e2e-'));
    const args = ['--nodes', String(nodes), '--port', '0', '--dir', this.#dir];
    const child = spawn(
      join(BINARIES, 'cluster'),
      [...args, '--binaries', BINARIES, '--frontend', DIST],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, LOG_LEVEL: 'warn', ADMIN_PASS: this.password, ...env },
      },
    );
    this.#child = child;
    let failed: Error | null = null;
    child.once('error', (error) => (failed = error));
    child.once('exit', (code) => (failed ??= new Error(`the cluster ended with ${code}`)));
    for (;;) {
      if (failed) throw failed;
      try {
        this.#description = await this.#read();
        return;
      } catch {
        // Not ready yet.
        await pause();
      }
    }
  }

  /** As a crash would: no word of farewell to anybody. */
  async kill(nodeId: string): Promise<void> {
    // Read anew: whoever is started again has another pid.
    const node = (await this.#read()).chatNodes.find((node) => node.nodeId === nodeId);
    if (!node) throw new Error(`there is no ${nodeId}`);
    process.kill(node.pid, 'SIGKILL');
  }

  get nodes(): string[] {
    return this.#description.chatNodes.map(({ nodeId }) => nodeId);
  }

  /** As a rolling deploy does: the node drains and ends, and the same program takes its place. */
  async replace(nodeId: string): Promise<void> {
    const { pid, port } = this.#description.chatNodes.find((node) => node.nodeId === nodeId)!;
    const former = this.#own.get(nodeId)?.pid ?? pid;
    const [program, environ] = [
      await readlink(`/proc/${former}/exe`),
      await readFile(`/proc/${former}/environ`, 'utf8'),
    ];
    process.kill(former, 'SIGTERM');
    while (await isRunning(former)) await pause();
    const env = Object.fromEntries(
      environ
        .split('\0')
        .filter(Boolean)
        .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
    // It must not outlive us, however we end; the cluster sees to that for its own.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    });
    this.#own.set(nodeId, child);
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`${nodeId} ended with ${child.exitCode}`);
      await pause();
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    await Promise.all([...this.#own.values()].map((node) => end(node, 'SIGKILL')));
    await end(child, 'SIGTERM');
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #read(): Promise<Description> {
    return JSON.parse(await readFile(join(this.#dir, 'cluster.json'), 'utf8')) as Description;
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** Not a zombie either: whoever started it may be slow to notice. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+[ZX]/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
