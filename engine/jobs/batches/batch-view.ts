// Decides how the console shows a batch: its speed, its time to go, and its cost beside what others would have charged. Pure.
import type { BatchView } from '../../contract.ts';
import type { Batch } from './batch-control.ts';

/** `rowsPerSecond`: lately; null while none ends. */
export function viewOf(batch: Batch, rowsPerSecond: number | null): BatchView {
  const { id, tenant, endpoint, model, filename, status, total, completed, failed, createdMs, expiresMs } = batch;
  const { energyUsd, hardwareUsd, upstreamUsd, premiumUsd, deviceMs } = batch.charges;
  const rate = status === 'in_progress' ? rowsPerSecond : null;
  const spotUsd = energyUsd + upstreamUsd;
  return {
    id,
    tenant,
    endpoint,
    model,
    filename,
    status,
    total,
    completed,
    failed,
    createdMs,
    expiresMs,
    endedMs: batch.completedMs ?? batch.failedMs ?? batch.expiredMs ?? batch.cancelledMs,
    rowsPerSecond: rate,
    etaMs: rate === null ? null : Math.round(((total - completed - failed) / rate) * 1000),
    outputFileId: batch.outputFileId,
    errorFileId: batch.errorFileId,
    faults: batch.faults,
    cost: { spotUsd, interactiveUsd: spotUsd + hardwareUsd, premiumUsd, deviceMs },
  };
}
