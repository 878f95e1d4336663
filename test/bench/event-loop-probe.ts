// Preloaded into the engine by the benchmark (`node --import`): writes the event-loop delay of each process, once a second, to
// `$MILLRACE_PROBE_DIR/<pid>.json`. The product itself knows nothing of it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 1;
const folder = process.env['MILLRACE_PROBE_DIR'];

if (isMainThread && folder !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  // Loading the program is one long turn of the loop, and not what is asked.
  setTimeout(() => histogram.enable(), 1000).unref();
  const write = (): void => {
    if (histogram.count === 0) return;
    // The histogram holds the times between turns of its timer, which include the timer's own interval.
    const p99Ms = histogram.percentile(99) / 1e6 - RESOLUTION_MS;
    void writeFile(join(folder, `${process.pid}.json`), JSON.stringify({ p99Ms, maxMs: histogram.max / 1e6 }));
  };
  setInterval(write, 1000).unref();
}
