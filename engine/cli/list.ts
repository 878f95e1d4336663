// `millrace list` and `millrace rm`: what is installed.
import { EngineError } from '../errors.ts';
import { contextLengthOf, type ModelManifest } from '../models/manifest.ts';
import { ModelStore, type InstalledModel } from '../models/store/model-store.ts';
import { formatBytes } from './progress.ts';

const COLUMNS = ['NAME', 'VARIANTS', 'SIZE', 'PARAMETERS', 'CONTEXT', 'LICENCE'];

/** A table for people, or one JSON array. */
export async function listModels(dataDir: string, json: boolean): Promise<void> {
  const models = await new ModelStore(dataDir).list();
  if (json) return print(JSON.stringify(models.map(toJson), null, 2));
  if (models.length === 0) return print('No model is installed. `millrace pull --help` shows where to get one.');
  for (const line of formatTable([COLUMNS, ...models.map(toRow)])) print(line);
}

/** @throws EngineError `model_not_found` */
export async function removeModel(dataDir: string, id: string, json: boolean): Promise<void> {
  const store = new ModelStore(dataDir);
  const installed = (await store.list()).find((model) => model.id === id);
  if (installed === undefined) throw new EngineError('model_not_found', `No model named ${id} is installed.`, { param: 'model' });
  await store.remove(id);
  const sizeBytes = installed.kind === 'ready' ? sizeOf(installed.manifest) : null;
  if (json) return print(JSON.stringify({ removed: id, sizeBytes }));
  print(sizeBytes === null ? `Removed ${id}.` : `Removed ${id} (${formatBytes(sizeBytes)}).`);
}

function toRow(model: InstalledModel): readonly string[] {
  if (model.kind === 'damaged') return [model.id, `damaged: ${model.reason}`, '', '', '', ''];
  const { id, parameterCount, licence } = model.manifest;
  const size = formatBytes(sizeOf(model.manifest));
  return [
    id,
    variantsOf(model.manifest).join(', '),
    size,
    `${(parameterCount / 1e6).toFixed(0)}M`,
    model.manifest.kind === 'infer' ? '-' : String(contextLengthOf(model.manifest)),
    licence ?? '-',
  ];
}

function toJson(model: InstalledModel): unknown {
  if (model.kind === 'damaged') return { id: model.id, damaged: model.reason };
  const { id, parameterCount, licence, source, defaultVariant, variants, createdAt } = model.manifest;
  return {
    id,
    parameterCount,
    contextLength: contextLengthOf(model.manifest),
    licence,
    source,
    createdAt,
    defaultVariant,
    variants: Object.values(variants),
  };
}

/** The default first. */
function variantsOf(manifest: ModelManifest): readonly string[] {
  return [manifest.defaultVariant, ...Object.keys(manifest.variants).filter((name) => name !== manifest.defaultVariant)];
}

/** Variants that share their weights count once. */
function sizeOf(manifest: ModelManifest): number {
  const sizes = new Map(Object.values(manifest.variants).map(({ weightsFile, sizeBytes }) => [weightsFile, sizeBytes]));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Lines with columns aligned, two spaces between them. */
export function formatTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
