import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
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
  #dir!: string;
  #description!: Description;

  get url(): string {
    return this.#description.url;
  }

  async start(nodes: number): Promise<void> {
    this.#dir = await mkdtemp(join(tmpdir(), 'roomful-e2e-'));
    const args = ['--nodes', String(nodes), '--port', '0', '--dir', this.#dir];
    const child = spawn(
      join(BINARIES, 'cluster'),
      [...args, '--binaries', BINARIES, '--frontend', DIST],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, LOG_LEVEL: 'warn', ADMIN_PASS: this.password },
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
        await new Promise((resolve) => setTimeout(resolve, 50));
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

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #read(): Promise<Description> {
    return JSON.parse(await readFile(join(this.#dir, 'cluster.json'), 'utf8')) as Description;
  }
}
