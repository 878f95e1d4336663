// Owns the file that the engine's log goes to: appended, and begun anew past a size, with the one before kept beside it.
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MAX_BYTES = 10 * 2 ** 20;

/** Returns how to write to `engine.log` in this folder. A log that cannot be written is given up: the engine goes on without. */
export function openEngineLog(dir: string): (text: string) => void {
  const path = join(dir, 'engine.log');
  mkdirSync(dir, { recursive: true });
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let isBroken = false;
  return (text) => {
    if (isBroken) return;
    try {
      if (size > MAX_BYTES) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      appendFileSync(path, text);
      size += Buffer.byteLength(text);
    } catch {
      isBroken = true;
    }
  };
}
