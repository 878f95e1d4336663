// Cuts a growing Markdown text into blocks that stand for themselves, so that only the last one is drawn again as tokens come.
// Pure. NOTE: a cut is made after a blank line outside of fences, before a line that is neither indented nor a list item: lists and
// what belongs to their items stay together.

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const CONTINUES = /^(?:\s|[-*+] |\d{1,9}[.)] )/;

/** The blocks; joined they are the text. */
export function splitBlocks(text: string): readonly string[] {
  const blocks: string[] = [];
  let start = 0;
  let at = 0;
  let fence: string | null = null;
  let afterBlank = false;
  for (const line of text.split(/(?<=\n)/)) {
    if (fence === null && afterBlank && line.trim() !== '' && !CONTINUES.test(line)) {
      blocks.push(text.slice(start, at));
      start = at;
    }
    fence = fenceAfter(line, fence);
    afterBlank = line.trim() === '';
    at += line.length;
  }
  return start < text.length ? [...blocks, text.slice(start)] : blocks;
}

/** The fence that is open after a line; one closes by at least as many of the same character, with nothing behind them. */
function fenceAfter(line: string, open: string | null): string | null {
  const mark = FENCE.exec(line)?.[1];
  if (mark === undefined) return open;
  if (open === null) return mark;
  const closes = mark[0] === open[0] && mark.length >= open.length && line.trim() === mark;
  return closes ? null : open;
}
