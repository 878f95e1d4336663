// Decides who is refused when the queue is full: whoever holds most of it for their weight, so batch requests before others. Pure.
// By class alone a flood of high priority would keep everybody else out of the queue.

/** Waiting requests of one tenant and priority. */
export interface QueueShare {
  readonly name: string;
  readonly weight: number;
  readonly waiting: number;
}

/** The flow whose youngest request makes room for one more of `newcomer`; null: the newcomer itself is refused. */
export function chooseRefused(newcomer: QueueShare, flows: readonly QueueShare[]): string | null {
  const others = flows.filter(({ name, waiting }) => name !== newcomer.name && waiting > 0);
  if (others.length === 0) return null;
  const most = others.reduce((a, b) => (b.waiting / b.weight > a.waiting / a.weight ? b : a));
  return most.waiting / most.weight > (newcomer.waiting + 1) / newcomer.weight ? most.name : null;
}
