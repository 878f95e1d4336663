// Owns where a prompt is cut into chunks. The cut depends on the request alone, never on its company: results must not either.

/**
 * Where the chunk that starts at `from` ends: at the next multiple of `chunkTokens`, but no chunk has a single token if the prompt has
 * two left, because a one-token step rounds differently from all longer ones. At most `chunkTokens` + 2 tokens.
 */
export function chunkEnd(from: number, total: number, chunkTokens: number): number {
  let end = (Math.floor(from / chunkTokens) + 1) * chunkTokens;
  if (end - from === 1) end += chunkTokens;
  return total - end <= 1 ? total : end;
}
