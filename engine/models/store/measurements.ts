// Owns what was measured of a variant, as a file beside it; and the text of the user's own that models are measured on.
// Knows nothing about how it is measured.
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VariantMeasurement } from '../../contract.ts';
import type { VariantManifest } from '../manifest.ts';
import { syncFolder } from './sync-folder.ts';

const FORMAT_VERSION = 1;
const OWN_TEXT = 'own-text.txt';

/** Null when it was not measured, or by a version that kept something else. `modelDir` is the model's folder. */
export async function readMeasurement(modelDir: string, variant: VariantManifest): Promise<VariantMeasurement | null> {
  const text = await readOrNull(measurementPath(modelDir, variant));
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as { readonly formatVersion?: unknown; readonly measured?: VariantMeasurement };
    return value.formatVersion === FORMAT_VERSION ? (value.measured ?? null) : null;
  } catch {
    // It is damaged, and can be measured again.
    return null;
  }
}

export async function writeMeasurement(modelDir: string, variant: VariantManifest, measured: VariantMeasurement): Promise<void> {
  const path = measurementPath(modelDir, variant);
  await writeWhole(path, `${JSON.stringify({ formatVersion: FORMAT_VERSION, measured }, null, 2)}\n`);
}

export function readOwnText(modelDir: string): Promise<string | null> {
  return readOrNull(join(modelDir, OWN_TEXT));
}

/** Null removes it. */
export async function writeOwnText(modelDir: string, text: string | null): Promise<void> {
  const path = join(modelDir, OWN_TEXT);
  if (text === null) await rm(path, { force: true });
  else await writeWhole(path, text);
}

/** Variants that share weights share a folder, so the file is named after the variant. */
function measurementPath(modelDir: string, { graphFile, name }: VariantManifest): string {
  return join(modelDir, dirname(graphFile), `measured-${name}.json`);
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.draft-${randomUUID()}`);
  await writeFile(draft, text, { flush: true });
  await rename(draft, path);
  await syncFolder(dirname(path));
}

async function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  });
}
