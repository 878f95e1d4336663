// A tokenizer.json of a few words, with special tokens around a text and between two, as BERT has them.
const SPECIAL = ['[CLS]', '[SEP]', '[UNK]'];
export const WORDS = [...SPECIAL, 'a', 'b', 'river', 'stone', 'mill'];

export const CLS = 0;
export const SEP = 1;

const special = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
const sequence = (id: 'A' | 'B', type: number) => ({ Sequence: { id, type_id: type } });

export const WORD_TOKENIZER = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: SPECIAL.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
    pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
    special_tokens: Object.fromEntries(['[CLS]', '[SEP]'].map((id, at) => [id, { id, ids: [at], tokens: [id] }])),
  },
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
  },
};
