// Answers with what systeminformation knows of memory, temperature and graphics adapters. A thread of its own, because the library
// runs some tools synchronously.
import { parentPort } from 'node:worker_threads';
import { battery, cpuTemperature, graphics, mem } from 'systeminformation';
import type { SystemAnswer, SystemQuestion } from './system.ts';

const READERS: { readonly [K in SystemQuestion]: () => Promise<unknown> } = {
  memory: async () => {
    const { total, available } = await mem();
    return { memoryTotalBytes: total, memoryUsedBytes: total - available };
  },
  temperature: async () => ({ temperature: { value: (await cpuTemperature()).main, basis: 'the system’s thermal sensor' } }),
  adapters: async () => (await graphics()).controllers.map(({ vendor, model, vram }) => ({ vendor, model, vramMiB: vram })),
  mains: async () => {
    const { hasBattery, acConnected } = await battery();
    return hasBattery ? acConnected : null;
  },
};

parentPort?.on('message', (question: SystemQuestion) => {
  void answer(question).then((message) => parentPort?.postMessage(message));
});

async function answer(question: SystemQuestion): Promise<SystemAnswer> {
  try {
    return { kind: 'answer', value: await READERS[question]() };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
