// The sentence at the top: seen at once, and spoken by screen readers without a word for each change of a figure.
import { useEffect, useState } from 'react';
import { wholeSentence, type Sentence } from '../shell/sentence.ts';

/** A screen reader hears the sentence anew when its state changes, and otherwise no more often than this. */
const SPOKEN_MS = 15_000;

interface Spoken {
  readonly sentence: Sentence;
  readonly atMs: number;
}

/** What is to be spoken from now on. */
export function nextSpoken(spoken: Spoken, sentence: Sentence, nowMs: number): Spoken {
  const changed = sentence.tone !== spoken.sentence.tone || sentence.word !== spoken.sentence.word;
  const due = nowMs - spoken.atMs >= SPOKEN_MS && wholeSentence(sentence) !== wholeSentence(spoken.sentence);
  return changed || due ? { sentence, atMs: nowMs } : spoken;
}

export function StateSentence({ sentence }: { readonly sentence: Sentence }) {
  const [spoken, setSpoken] = useState<Spoken>(() => ({ sentence, atMs: Date.now() }));
  useEffect(() => setSpoken((before) => nextSpoken(before, sentence, Date.now())), [sentence]);
  return (
    <>
      <div className={`now-sentence ${sentence.tone}`}>
        <p className='now-finding' title={sentence.text}>
          {sentence.text}
        </p>
        <p className='now-detail' title={sentence.detail}>
          {sentence.detail}
        </p>
      </div>
      <p className='sr-only' role='status' aria-label='State of the server'>
        {wholeSentence(spoken.sentence)}
      </p>
    </>
  );
}
