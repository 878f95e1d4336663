// Encodes texts with transformers.js inside one process, padded batch by batch: transformers-js.mjs NODE_MODULES MODEL_ROOT NAME.
// Reads and writes what padded.py does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, root, name] = process.argv.slice(2);
const folder = join(modules, '@huggingface/transformers');
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const { env, pipeline } = await import(pathToFileURL(join(folder, manifest.exports.node.import.default)).href);
const { threads, loads } = JSON.parse(readFileSync(0, 'utf8'));
Object.assign(env, { allowRemoteModels: false, localModelPath: root });
const extract = await pipeline('feature-extraction', name, {
  dtype: 'fp32',
  device: 'cpu',
  session_options: { intraOpNumThreads: threads },
});
const encode = (texts) => extract(texts, { pooling: 'mean', normalize: true });

async function textsPerSecond({ texts, batch }) {
  const startedMs = performance.now();
  for (let first = 0; first < texts.length; first += batch) await encode(texts.slice(first, first + batch));
  return (texts.length / (performance.now() - startedMs)) * 1000;
}

const first = [...(await encode(loads[0].texts.slice(0, 1))).data];
for (const { texts, batch } of loads) await encode(texts.slice(0, batch));
const rates = [];
for (const load of loads) rates.push(await textsPerSecond(load));
process.stdout.write(JSON.stringify({ version: manifest.version, textsPerSecond: rates, first }));
