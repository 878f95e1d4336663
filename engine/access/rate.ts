// Decides how a rate per minute is spent: a token bucket that holds one minute's worth and fills evenly. Pure.

export interface Bucket {
  /** What is left; negative when more was used than foreseen. */
  readonly level: number;
  readonly atMs: number;
}

const MINUTE_MS = 60_000;

export function fullBucket(perMinute: number, nowMs: number): Bucket {
  return { level: perMinute, atMs: nowMs };
}

/** As it is now. */
export function filled(bucket: Bucket, perMinute: number, nowMs: number): Bucket {
  const passedMs = Math.max(0, nowMs - bucket.atMs);
  return { level: Math.min(perMinute, bucket.level + (passedMs * perMinute) / MINUTE_MS), atMs: nowMs };
}

export function taken(bucket: Bucket, amount: number): Bucket {
  return { ...bucket, level: bucket.level - amount };
}

/** Time until `amount` is there, in ms; 0: it is. More than the bucket holds is waited for as a whole bucket. */
export function waitMs(bucket: Bucket, perMinute: number, amount: number): number {
  const missing = Math.min(amount, perMinute) - bucket.level;
  return missing <= 0 ? 0 : Math.ceil((missing * MINUTE_MS) / perMinute);
}
