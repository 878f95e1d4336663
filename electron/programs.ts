// Owns the processes that run on the engine's behalf, since the packaged program cannot be run as Node.
// Each gets a port to the engine, so that nothing it says takes the way through this process; they end with the engine.
import type { UtilityProcess } from 'electron';
import type { FromShell, ProgramName } from '../engine/desktop/protocol.ts';
import type { Clock } from './clock.ts';
import type { ElectronApi } from './electron-api.ts';
import type { AppPaths } from './paths.ts';

export type ProgramsElectron = Pick<ElectronApi, 'utilityProcess' | 'MessageChannelMain'>;

export interface ProgramsOptions {
  readonly electron: ProgramsElectron;
  readonly paths: AppPaths;
  readonly clock: Clock;
}

/** The end of a process and its last lines come on different ways: the end is told this much later. */
const LAST_LINES_MS = 200;

interface StartRequest {
  readonly id: number;
  readonly program: ProgramName;
  readonly args: readonly string[];
}

export class Programs {
  readonly #electron: ProgramsElectron;
  readonly #paths: AppPaths;
  readonly #clock: Clock;
  readonly #engine: Pick<UtilityProcess, 'postMessage'>;
  readonly #running = new Map<number, UtilityProcess>();

  /** `engine`: whom they work for. */
  constructor({ electron, paths, clock }: ProgramsOptions, engine: Pick<UtilityProcess, 'postMessage'>) {
    this.#electron = electron;
    this.#paths = paths;
    this.#clock = clock;
    this.#engine = engine;
  }

  start({ id, program, args }: StartRequest): void {
    const child = forkUtility(this.#electron, this.#paths[program], { args, name: `Millrace ${program}` });
    this.#running.set(id, child);
    child.once('spawn', () => this.#connect(id, child));
    child.stdout?.on('data', (chunk: Buffer) => this.#tell({ kind: 'output', id, stream: 'stdout', text: chunk.toString('utf8') }));
    child.stderr?.on('data', (chunk: Buffer) => this.#tell({ kind: 'output', id, stream: 'stderr', text: chunk.toString('utf8') }));
    child.once('exit', (code) => {
      this.#running.delete(id);
      this.#clock.after(LAST_LINES_MS, () => this.#tell({ kind: 'exited', id, code }));
    });
  }

  kill(id: number): void {
    this.#running.get(id)?.kill();
  }

  killAll(): void {
    for (const child of this.#running.values()) child.kill();
  }

  #connect(id: number, child: UtilityProcess): void {
    const { port1, port2 } = new this.#electron.MessageChannelMain();
    child.postMessage({ kind: 'port' }, [port1]);
    const started: FromShell = { kind: 'started', id, pid: child.pid ?? null };
    this.#engine.postMessage(started, [port2]);
  }

  #tell(message: FromShell): void {
    this.#engine.postMessage(message);
  }
}

/** A Node process of this program; `allowLoadingUnsignedLibraries` lets it load ONNX Runtime on macOS. */
export function forkUtility(
  { utilityProcess }: Pick<ElectronApi, 'utilityProcess'>,
  entry: string,
  { args, name }: { readonly args: readonly string[]; readonly name: string },
): UtilityProcess {
  return utilityProcess.fork(entry, [...args], { serviceName: name, stdio: 'pipe', allowLoadingUnsignedLibraries: true });
}
