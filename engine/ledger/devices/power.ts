// Decides what a device's power is called: measured, estimated with its basis in words, or unavailable. Pure.
import type { CostSettings, Reading } from '../../contract.ts';
import type { CpuFacts, GpuFacts } from './facts.ts';

/** What the settings say the machine draws. */
export type PowerEstimate = Pick<CostSettings, 'idleWatts' | 'busyWatts'>;

/** `idle + utilisation × (busy - idle)`, a straight line (Fan, Weber and Barroso 2007, "Power Provisioning for a Warehouse-sized Computer"). */
export function estimatedWatts(utilisation: number, { idleWatts, busyWatts }: PowerEstimate): number {
  return idleWatts + utilisation * Math.max(0, busyWatts - idleWatts);
}

/** Power of the CPU, or of the whole machine where that is estimated. Graphics in the same chip count with it: the busier of the two. */
export function cpuPower(cpu: CpuFacts, gpus: readonly GpuFacts[], estimate: PowerEstimate): Reading {
  const { value, basis: why } = cpu.power ?? { value: null, basis: 'this system does not tell its power' };
  if (value !== null) return { value, source: 'measured', basis: `Read from ${why}.` };
  const utilisation = busiest([cpu.utilisation, ...gpus.filter((gpu) => gpu.integrated).map((gpu) => gpu.utilisation)]);
  if (utilisation === null) return { value: null, source: 'unavailable', basis: `Nothing was read yet; ${why}.` };
  const { idleWatts, busyWatts } = estimate;
  return {
    value: estimatedWatts(utilisation, estimate),
    source: 'estimated',
    basis: `Estimated from the settings, ${idleWatts} W idle to ${busyWatts} W busy, at ${percent(utilisation)} use; ${why}.`,
  };
}

/** Power of a card. What cannot be read is estimated by what the settings add for work; its idle power is in the machine's estimate. */
export function gpuPower(gpu: GpuFacts, { idleWatts, busyWatts }: PowerEstimate): Reading {
  const workWatts = Math.max(0, busyWatts - idleWatts);
  if (gpu.integrated) return { value: null, source: 'unavailable', basis: 'One chip with the CPU: its power is in the CPU’s figure.' };
  if (gpu.powerWatts !== null) return { value: gpu.powerWatts, source: 'measured', basis: `Read from ${gpu.origin}.` };
  if (gpu.utilisation === null) return { value: null, source: 'unavailable', basis: `${gpu.origin} tells neither its power nor its use.` };
  return {
    value: estimatedWatts(gpu.utilisation, { idleWatts: 0, busyWatts: workWatts }),
    source: 'estimated',
    basis: `Estimated from the settings: ${percent(gpu.utilisation)} of the ${workWatts} W between idle and busy; ${gpu.origin} does not tell it.`,
  };
}

function busiest(utilisations: readonly (number | null | undefined)[]): number | null {
  const values = utilisations.filter((value) => typeof value === 'number');
  return values.length === 0 ? null : Math.max(...values);
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
