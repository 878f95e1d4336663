// Owns how models are pulled in the desktop app: the shell runs the command, since the packaged program cannot be run as Node.
import type { PullListener, PullProcess, SpawnPull } from '../jobs/pull-process.ts';
import { jobArguments, lowerPriority } from '../jobs/pull-process.ts';
import { PullOutput } from '../jobs/pull-lines.ts';
import type { Program, Programs } from './programs.ts';

export function remotePulls(programs: Programs, dataDir: string): SpawnPull {
  return (request, listener) => new RemotePull(programs, jobArguments(request, dataDir), listener);
}

class RemotePull implements PullProcess {
  readonly #program: Program;
  #isEnded = false;
  /** Its group is not its own, so that the programs it runs would go on: a pause ends it and starts it again. */
  readonly canPause = false;
  pid: number | undefined;

  constructor(programs: Programs, args: readonly string[], listener: PullListener) {
    const output = new PullOutput((progress) => listener.onProgress(progress));
    this.#program = programs.start('pull', args, {
      onStarted: (pid) => {
        this.pid = pid ?? undefined;
        lowerPriority(this.pid);
      },
      onOutput: (stream, text) => output.add(stream, text),
      onExit: (code) => listener.onEnd(this.#isEnded && code !== 0 ? { kind: 'interrupted' } : output.outcome(code, null)),
    });
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.#isEnded = true;
    this.#program.kill();
  }
}
