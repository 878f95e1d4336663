// Decides which texts of a batch are computed in one run: all but attention is free of padding, and attention must not take
// memory and time for places that no text fills.
// Pure.

/** Attention scores of one run, in numbers; one text alone may have more. 64 MB as float32. */
const MAX_SCORES = 1 << 24;
/** Empty places of a run for each token, and in any case: beyond them, a run of their own costs the shorter texts less. */
const MAX_EMPTY_SHARE = 0.5;
const FREE_EMPTY_PLACES = 256;

/** Places in `lengths`, in groups of similar length. Every text is in one group, none is empty. */
export function groupByLength(lengths: readonly number[], headCount: number): readonly (readonly number[])[] {
  const order = lengths.map((_, at) => at).toSorted((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0));
  const groups: number[][] = [];
  let [longest, tokens] = [0, 0];
  for (const at of order) {
    const length = lengths[at] ?? 0;
    const group = groups.at(-1);
    const texts = (group?.length ?? 0) + 1;
    const empty = texts * longest - tokens - length;
    const fits =
      texts * longest ** 2 * headCount <= MAX_SCORES && empty <= Math.max(FREE_EMPTY_PLACES, MAX_EMPTY_SHARE * (tokens + length));
    if (group !== undefined && fits) group.push(at);
    else groups.push([at]);
    [longest, tokens] = group !== undefined && fits ? [longest, tokens + length] : [length, length];
  }
  return groups;
}
