// Owns the step from a SentencePiece vocabulary with scores to a BPE tokenizer.json with byte fallback.
// The scores of these vocabularies are merge ranks, so a merge list gives the same splits as merging by score.
import type { TokenizerJson } from '../source-model.ts';
import { addedTokens, pieceTable, TYPE_NORMAL, TYPE_UNKNOWN, type GgufVocabulary } from './vocabulary.ts';

/** Longest piece that is tried as a merge, in characters: longer ones are runs of spaces, which shorter merges build up. */
const MAX_PIECE_LENGTH = 64;

/** `prefixSpace`: a space is put before the text, and after each control token in it. */
export function sentencePieceJson(vocabulary: GgufVocabulary, scores: ArrayLike<number>, prefixSpace: boolean): TokenizerJson {
  const toMarks = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const toSpaces = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  const fallback = [toSpaces, { type: 'ByteFallback' }, { type: 'Fuse' }];
  const table = pieceTable(vocabulary);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    normalizer: prefixSpace ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, toMarks] } : toMarks,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Sequence', decoders: prefixSpace ? [...fallback, { type: 'Strip', content: ' ', start: 1, stop: 0 }] : fallback },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknownPiece(vocabulary),
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: table,
      merges: mergesByScore(vocabulary, scores, table),
    },
  };
}

interface Merge {
  readonly pair: readonly [string, string];
  readonly score: number;
  readonly token: number;
}

/** Every way to join two pieces into a third, best score first; equal scores in token order. */
function mergesByScore(
  vocabulary: GgufVocabulary,
  scores: ArrayLike<number>,
  table: Readonly<Record<string, number>>,
): readonly (readonly [string, string])[] {
  const known = new Map(Object.entries(table));
  const merges: Merge[] = [];
  vocabulary.pieces.forEach((piece, token) => {
    if (vocabulary.types[token] !== TYPE_NORMAL || piece.length > MAX_PIECE_LENGTH) return;
    for (const pair of splits(piece)) {
      if (known.has(pair[0]) && known.has(pair[1])) merges.push({ pair, score: scores[token] ?? 0, token });
    }
  });
  return merges.toSorted((a, b) => b.score - a.score || a.token - b.token).map(({ pair }) => pair);
}

/** Every split in two between characters, not within a surrogate pair. */
function splits(piece: string): readonly (readonly [string, string])[] {
  const characters = Array.from(piece);
  return characters.slice(1).map((_, i) => [characters.slice(0, i + 1).join(''), characters.slice(i + 1).join('')] as const);
}

function unknownPiece(vocabulary: GgufVocabulary): string | null {
  const token = Array.from({ length: vocabulary.pieces.length }, (_, i) => vocabulary.types[i]).indexOf(TYPE_UNKNOWN);
  return vocabulary.pieces[token] ?? null;
}
