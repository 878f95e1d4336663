// Owns where other programs of this machine keep models: Ollama, LM Studio and the hub's own client. Reads, never writes there.
// Layouts: the hub client's cache (models--owner--name/snapshots/commit), LM Studio's models/publisher/repository/file.gguf, and
// Ollama's manifests, which name their blobs by digest.
import { readdirSync, readFileSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, readJsonFile } from '../readers/json-fields.ts';
import { modelIdFrom } from '../store/model-store.ts';

/** A model whose files lie in another program's folder; `millrace pull PATH` reads them there, nothing is copied first. */
export interface FoundModel {
  readonly program: 'ollama' | 'lm-studio' | 'hub';
  /** A name to install it under. */
  readonly id: string;
  /** A GGUF file, or a folder with config.json, tokenizer.json and safetensors. */
  readonly path: string;
  readonly sizeBytes: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const MANIFEST_BYTES = 1 << 20;
const OLLAMA_WEIGHTS = 'application/vnd.ollama.image.model';
const OLLAMA_DIGEST = /^sha256:([0-9a-f]{64})$/;
const COMMIT = /^[0-9a-f]{40}$/;
/** Later parts of a file that was split are no models of their own, and what sees pictures is half a model. */
const NO_MODEL = /(-\d{5}-of-\d{5}|^mmproj.*)\.gguf$/i;

/** Those of all programs, by path. Folders that are not there or may not be read hold none. */
export function findOtherPrograms(home: string, env: Environment): readonly FoundModel[] {
  const lmStudio = [join(home, '.lmstudio', 'models'), join(home, '.cache', 'lm-studio', 'models')];
  const found = [
    ...ofOllama(env['OLLAMA_MODELS'] ?? join(home, '.ollama', 'models')),
    ...lmStudio.flatMap(ofLmStudio),
    ...ofHubClient(hubCache(home, env)),
  ];
  return found.toSorted((a, b) => a.path.localeCompare(b.path));
}

/** As the hub's client finds it. */
function hubCache(home: string, env: Environment): string {
  const { HF_HUB_CACHE: cache, HF_HOME: hubHome, XDG_CACHE_HOME: caches } = env;
  return cache ?? join(hubHome ?? join(caches ?? join(home, '.cache'), 'huggingface'), 'hub');
}

/** `manifests/<registry>/<namespace>/<model>/<tag>`; several tags may share one blob, which is named once. */
function ofOllama(root: string): readonly FoundModel[] {
  const byPath = new Map<string, FoundModel>();
  for (const { name: registry } of foldersOf(join(root, 'manifests')))
    for (const { name: space } of foldersOf(join(root, 'manifests', registry)))
      for (const { name: model } of foldersOf(join(root, 'manifests', registry, space)))
        for (const { name: tag } of entriesOf(join(root, 'manifests', registry, space, model))) {
          const path = ollamaBlob(root, join(root, 'manifests', registry, space, model, tag));
          const sizeBytes = path === null ? null : sizeOfFile(path);
          if (path !== null && sizeBytes !== null && !byPath.has(path))
            byPath.set(path, { program: 'ollama', id: modelIdFrom(tag === 'latest' ? model : `${model}-${tag}`), path, sizeBytes });
        }
  return [...byPath.values()];
}

/** Null for a manifest that is none, and for one without weights. The digest's form keeps the path inside the folder. */
function ollamaBlob(root: string, manifest: string): string | null {
  const layers = readable(() => readJsonFile(manifest, MANIFEST_BYTES)?.array('layers') ?? [], []);
  const weights = layers.find((layer) => isJsonObject(layer) && layer['mediaType'] === OLLAMA_WEIGHTS);
  const digest = isJsonObject(weights) ? weights['digest'] : null;
  const hex = typeof digest === 'string' ? OLLAMA_DIGEST.exec(digest)?.[1] : undefined;
  return hex === undefined ? null : join(root, 'blobs', `sha256-${hex}`);
}

function ofLmStudio(root: string): readonly FoundModel[] {
  return foldersOf(root).flatMap(({ name: publisher }) =>
    foldersOf(join(root, publisher)).flatMap(({ name }) => ggufsOf(join(root, publisher, name), 'lm-studio')),
  );
}

function ofHubClient(root: string): readonly FoundModel[] {
  return foldersOf(root).flatMap(({ name }) => {
    const repository = /^models--(?:.+--)?(.+)$/.exec(name)?.[1];
    const commit = readable(() => readFileSync(join(root, name, 'refs', 'main'), 'utf8').trim(), '');
    if (repository === undefined || !COMMIT.test(commit)) return [];
    const snapshot = join(root, name, 'snapshots', commit);
    return [...safetensorsOf(snapshot, repository), ...ggufsOf(snapshot, 'hub')];
  });
}

function safetensorsOf(path: string, repository: string): readonly FoundModel[] {
  const names = entriesOf(path).map(({ name }) => name);
  const weights = names.filter((name) => name.endsWith('.safetensors')).map((name) => sizeOfFile(join(path, name)));
  // A link whose blob is not there belongs to a download that did not end.
  const whole = weights.filter((size) => size !== null);
  if (whole.length === 0 || whole.length < weights.length || !names.includes('config.json') || !names.includes('tokenizer.json')) return [];
  return [{ program: 'hub', id: modelIdFrom(repository), path, sizeBytes: whole.reduce((sum, size) => sum + size, 0) }];
}

function ggufsOf(folder: string, program: FoundModel['program']): readonly FoundModel[] {
  return entriesOf(folder).flatMap(({ name }) => {
    if (!name.toLowerCase().endsWith('.gguf') || NO_MODEL.test(name)) return [];
    const path = join(folder, name);
    const sizeBytes = sizeOfFile(path);
    return sizeBytes === null ? [] : [{ program, id: modelIdFrom(name), path, sizeBytes }];
  });
}

function foldersOf(path: string): readonly Dirent[] {
  return entriesOf(path).filter((entry) => entry.isDirectory());
}

function entriesOf(path: string): readonly Dirent[] {
  return readable(() => readdirSync(path, { withFileTypes: true }), []);
}

/** Of the file that a link leads to; null where there is none. */
function sizeOfFile(path: string): number | null {
  return readable(() => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true ? stat.size : null;
  }, null);
}

/** Another program's folder may be absent, half written or private: what cannot be read is not offered. */
function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
