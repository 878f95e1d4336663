// Owns the settings as they are kept: one JSON file, replaced as a whole, so that no power loss leaves half of one.
// Apart from the history, so that they are there before its file is open and outlive its damage.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Settings } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SettingsPatch } from '../ledger.ts';
import { DEFAULT_SETTINGS } from './defaults.ts';
import { acceptStored, applyPatch } from './validate.ts';

/** Of the file's layout; settings that are unknown or out of limits are left out whatever it says. */
const FORMAT_VERSION = 1;

export class SettingsFile {
  readonly #path: string;
  #current: Settings;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, settings: Settings) {
    this.#path = path;
    this.#current = settings;
  }

  /** Reads the file; without one, and for what cannot be read in it, the defaults hold. */
  static async open(path: string, log: Log): Promise<SettingsFile> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (!isMissing(error)) log.error({ error, path }, 'The settings cannot be read; the defaults are used.');
      return null;
    });
    return new SettingsFile(path, text === null ? DEFAULT_SETTINGS : await parse(text, path, log));
  }

  get current(): Settings {
    return this.#current;
  }

  /** Changes come one after the other; each has reached the disk when its promise resolves.
   *  @throws EngineError `invalid_request`; `insufficient_storage` or `history_unavailable` when the file cannot be written */
  change(patch: SettingsPatch): Promise<Settings> {
    const changed = this.#turn.then(async () => {
      const next = applyPatch(this.#current, patch);
      await writeDurably(this.#path, `${JSON.stringify({ version: FORMAT_VERSION, settings: next }, null, 2)}\n`).catch(refuse);
      this.#current = next;
      return next;
    });
    this.#turn = changed.catch(() => undefined);
    return changed;
  }
}

async function parse(text: string, path: string, log: Log): Promise<Settings> {
  try {
    const document = JSON.parse(text) as { readonly settings?: unknown } | null;
    const { settings, refused } = acceptStored(DEFAULT_SETTINGS, document?.settings);
    if (refused.length > 0) log.warn({ refused, path }, 'Some settings were not accepted; their defaults are used.');
    return settings;
  } catch (error) {
    const aside = `${path}.damaged`;
    log.error({ error, path, aside }, 'The settings are damaged and were set aside; the defaults are used.');
    await rename(path, aside).catch((cause: unknown) => log.error({ cause }, 'They could not be moved.'));
    return DEFAULT_SETTINGS;
  }
}

/** The webhook's secret is in it, so only this user may read it. */
async function writeDurably(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(dirname(path));
}

/** So that the new name outlives a power loss. Windows has no such call for folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function refuse(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (isCode(cause, 'ENOSPC') || isCode(cause, 'EDQUOT'))
    throw new EngineError('insufficient_storage', `The disk is full, so the settings are as before: ${reason}`, { cause });
  throw new EngineError('history_unavailable', `The settings cannot be written and are as before: ${reason}`, { cause });
}

const isMissing = (error: unknown): boolean => isCode(error, 'ENOENT');

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;
