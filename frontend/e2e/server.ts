import { spawn, type ChildProcess } from 'node:child_process';
import {
  createServer,
  connect,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { fileURLToPath } from 'node:url';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
export const BIN = process.env.ROOMFUL_BIN ?? here('../../target/debug/roomful');
export const DIST = process.env.FRONTEND_DIR ?? here('../dist');

/** A `roomful` process of a test's own, on a free port that it keeps over a restart. */
export class Server {
  readonly password = 'correct horse battery staple';
  port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  #child: ChildProcess | null = null;

  async start(): Promise<void> {
    this.port ||= await freePort();
    const child = spawn(BIN, [], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        PORT: String(this.port),
        FRONTEND_DIR: DIST,
        ADMIN_PASS: this.password,
        JWT_SECRET: 'the same secret before and after a restart',
        LOG: process.env.LOG ?? 'warn',
        RUST_LOG: process.env.RUST_LOG ?? 'warn',
        // All browsers of all tests come from one address.
        LIMIT_CONNECT_NODE: 'off',
        LIMIT_HTTP_NODE: 'off',
        LIMIT_ROOM_CREATE_NODE: 'off',
      },
    });
    this.#child = child;
    let failed: Error | null = null;
    child.once('error', (error) => (failed = error));
    child.once('exit', (code) => (failed ??= new Error(`${BIN} ended with ${code}`)));
    for (;;) {
      if (failed) throw failed;
      if (await this.#ready()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As a crash would: no word of farewell to anybody. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async #ready(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.port}/readyz`)).status === 200;
    } catch {
      return false;
    }
  }
}

/**
 * The wire between browsers and the server. Chromium's own offline mode leaves open WebSockets
 * alone, so this is what is cut.
 */
export class Wire {
  readonly #sockets = new Set<Socket>();
  #whole = true;
  #listener!: TcpServer;

  constructor(private readonly server: { readonly port: number }) {}

  async open(): Promise<string> {
    this.#listener = createServer((near) => {
      if (!this.#whole) return void near.destroy();
      const far = connect(this.server.port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {});
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => this.#listener.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Breaks every connection and refuses new ones, until `mend`. */
  cut(): void {
    this.#whole = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#whole = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
