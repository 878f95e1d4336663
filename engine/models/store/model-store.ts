// Owns the folder of installed models, `<data>/models/<id>/model.json` and what it names: list, read, add, remove.
// A model appears by one rename of a finished staging folder. Knows nothing about how files are made.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { ModelManifest, VariantManifest } from '../manifest.ts';
import { parseManifest } from './parse-manifest.ts';
import { lockFile } from './lock-file.ts';
import { syncFolder } from './sync-folder.ts';

const MANIFEST = 'model.json';
const STAGING = '.staging-';
const REMOVED = '.removed-';
const ASIDE = '.aside-';
const CHANGE_LOCK = '.change.lock';

/** What a model may be called: safe as a folder's name on every platform and as a name in the API. */
const ID = /^[a-z0-9][a-z0-9._-]{0,95}$/;
/** Names that Windows keeps for devices, with or without an extension. */
const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

export type InstalledModel =
  | { readonly kind: 'ready'; readonly id: string; readonly manifest: ModelManifest }
  | { readonly kind: 'damaged'; readonly id: string; readonly reason: string };

/** A folder that becomes a model when it is committed, and vanishes when it is not. */
export interface StagingFolder {
  readonly path: string;
  /** Writes model.json and makes the model visible, in place of an older one of the same id. */
  commit(manifest: ModelManifest): Promise<void>;
  discard(): Promise<void>;
}

/** A removed model whose files are still there. */
export interface SetAsideModel {
  /** Throws `invalid_request` when a model of this name was installed meanwhile. */
  restore(): Promise<void>;
  delete(): Promise<void>;
}

export class ModelStore {
  readonly #folder: string;

  /** `dataDir` is the appliance's data folder; models lie in its `models` folder. */
  constructor(dataDir: string) {
    this.#folder = join(dataDir, 'models');
  }

  /** Every installed model by id, also those whose model.json cannot be read. */
  async list(): Promise<readonly InstalledModel[]> {
    const names = await readdirOrEmpty(this.#folder);
    return Promise.all(
      names
        .filter(isModelId)
        .sort()
        .map((id) => this.#read(id)),
    );
  }

  /** Throws `model_not_found`, or `model_file_invalid` with the reason when its model.json is damaged. */
  async get(id: string): Promise<ModelManifest> {
    const found = await this.#read(checkedId(id));
    if (found.kind === 'damaged') throw new EngineError('model_file_invalid', found.reason);
    return found.manifest;
  }

  async has(id: string): Promise<boolean> {
    return isModelId(id) && (await readdirOrEmpty(this.#folder)).includes(id);
  }

  /** The folder of a model, which need not exist. Throws `invalid_request` for a name that is no model id. */
  path(id: string): string {
    return join(this.#folder, checkedId(id));
  }

  /** A new empty folder on the same volume. */
  async stage(id: string): Promise<StagingFolder> {
    const target = this.path(id);
    const path = join(this.#folder, `${STAGING}${id}-${randomUUID()}`);
    await mkdir(path, { recursive: true });
    return {
      path,
      commit: async (manifest) => {
        if (manifest.id !== id) throw new EngineError('invalid_request', `The manifest names ${manifest.id}, the folder ${id}.`);
        await writeFile(join(path, MANIFEST), stringify(manifest), { flush: true });
        await syncFolder(path);
        await this.#replace(path, target);
      },
      discard: () => rm(path, { recursive: true, force: true }),
    };
  }

  /** Writes a changed model.json of an installed model: a new variant, another default. */
  async update(manifest: ModelManifest): Promise<void> {
    const folder = this.path(manifest.id);
    await this.get(manifest.id);
    const next = join(folder, `.${MANIFEST}-${randomUUID()}`);
    await writeFile(next, stringify(manifest), { flush: true });
    await rename(next, join(folder, MANIFEST));
    await syncFolder(folder);
  }

  /** Changes model.json by a function of what it says now; changes of several processes come one after the other. Returns what it says
   *  then. Throws `model_not_found`, `model_file_invalid`, and what `change` throws, which leaves it as it was. */
  async change(id: string, change: (manifest: ModelManifest) => ModelManifest): Promise<ModelManifest> {
    await this.get(id);
    const unlock = await lockFile(join(this.path(id), CHANGE_LOCK));
    try {
      const changed = change(await this.get(id));
      await this.update(changed);
      return changed;
    } finally {
      await unlock();
    }
  }

  /** Throws `model_not_found`. The model is gone at once; its files follow. */
  async remove(id: string): Promise<void> {
    if (!(await this.has(checkedId(id)))) throw notFound(id);
    const grave = join(this.#folder, `${REMOVED}${randomUUID()}`);
    await rename(this.path(id), grave);
    await rm(grave, { recursive: true, force: true });
  }

  /** Throws `model_not_found`. The model is gone at once; its files stay for an undo, until `deleteSetAside` at the latest. */
  async setAside(id: string): Promise<SetAsideModel> {
    if (!(await this.has(checkedId(id)))) throw notFound(id);
    const folder = this.path(id);
    const aside = join(this.#folder, `${ASIDE}${randomUUID()}`);
    await rename(folder, aside);
    return {
      restore: async () => {
        if (await this.has(id))
          throw new EngineError('invalid_request', `A model named ${id} was installed meanwhile.`, { param: 'model' });
        await rename(aside, folder);
      },
      delete: () => rm(aside, { recursive: true, force: true }),
    };
  }

  /** Deletes what an earlier process set aside. Call when no other process of this folder serves. */
  async deleteSetAside(): Promise<void> {
    const names = (await readdirOrEmpty(this.#folder)).filter((name) => name.startsWith(ASIDE));
    await Promise.all(names.map((name) => rm(join(this.#folder, name), { recursive: true, force: true })));
  }

  /** Removes what interrupted additions and removals left behind; what is being added under an id that `isBusy` stays. */
  async sweep(isBusy: (id: string) => boolean = () => false): Promise<void> {
    const names = await readdirOrEmpty(this.#folder);
    const leftovers = names.filter((name) => name.startsWith(REMOVED) || (name.startsWith(STAGING) && !isBusy(stagedId(name))));
    await Promise.all(leftovers.map((name) => rm(join(this.#folder, name), { recursive: true, force: true })));
  }

  async #replace(from: string, target: string): Promise<void> {
    const grave = join(this.#folder, `${REMOVED}${randomUUID()}`);
    const wasThere = await rename(target, grave).then(() => true, nullIfMissing);
    await rename(from, target);
    await syncFolder(this.#folder);
    if (wasThere !== null) await rm(grave, { recursive: true, force: true });
  }

  async #read(id: string): Promise<InstalledModel> {
    const text = await readFile(join(this.#folder, id, MANIFEST), 'utf8').catch(nullIfMissing);
    if (text === null && !(await this.has(id))) throw notFound(id);
    if (text === null) return { kind: 'damaged', id, reason: `The model ${id} has no ${MANIFEST}. Remove it or pull it again.` };
    return parseManifest(id, text);
  }
}

/** `.staging-<id>-<uuid>` */
function stagedId(name: string): string {
  return name.slice(STAGING.length, -randomUUID().length - 1);
}

export function isModelId(name: string): boolean {
  return ID.test(name) && !DEVICE_NAME.test(name) && !name.endsWith('.');
}

/** A model id made of any name: `HuggingFaceTB/SmolLM2-135M-Instruct` gives `smollm2-135m-instruct`. Throws `invalid_request`. */
export function modelIdFrom(name: string): string {
  const last =
    name
      .split(/[\\/]/)
      .filter((part) => part !== '')
      .at(-1) ?? '';
  const id = last
    .toLowerCase()
    .replace(/\.gguf$/, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 96)
    .replace(/[^a-z0-9]+$/, '');
  return checkedId(id);
}

/** The variant of this name, or the model's default. Throws `model_not_found`. */
export function variantOf(manifest: ModelManifest, name: string | null): VariantManifest {
  const wanted = name ?? manifest.defaultVariant;
  const variant = Object.hasOwn(manifest.variants, wanted) ? manifest.variants[wanted] : undefined;
  if (variant === undefined) throw new EngineError('model_not_found', `The model ${manifest.id} has no variant ${wanted}.`);
  return variant;
}

function checkedId(id: string): string {
  if (isModelId(id)) return id;
  throw new EngineError('invalid_request', `"${id}" is not a model name: up to 96 of a-z 0-9 . _ - beginning with a letter or a digit.`, {
    param: 'model',
  });
}

function notFound(id: string): EngineError {
  return new EngineError('model_not_found', `No model named ${id} is installed.`, { param: 'model' });
}

function stringify(manifest: ModelManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Null for a missing file or folder; anything else is thrown on. */
function nullIfMissing(cause: unknown): null {
  if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return null;
  throw cause;
}

async function readdirOrEmpty(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(nullIfMissing)) ?? [];
}
