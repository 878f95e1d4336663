// What the reader says of an answer: it counts as measured quality of the model that gave it.
import { useState } from 'react';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { Button } from '../parts/button.tsx';
import { useToast } from '../parts/toast.tsx';

const SCORES = [
  { score: 1, sign: '👍', label: 'Good answer' },
  { score: 0, sign: '👎', label: 'Bad answer' },
] as const;

export function Thumbs({ requestId }: { readonly requestId: string }) {
  const [given, setGiven] = useState<number | null>(null);
  const toast = useToast();
  const change = useChange(['/api/router']);
  const grade = (score: number): void =>
    change.mutate(
      { method: 'POST', path: '/v1/feedback', body: { request_id: requestId, score } },
      {
        onSuccess: () => setGiven(score),
        onError: (error) => toast({ text: describeError(error).message, tone: 'problem' }),
      },
    );
  return SCORES.map(({ score, sign, label }) => (
    <Button key={score} kind='quiet' aria-label={label} title={label} aria-pressed={given === score} onClick={() => grade(score)}>
      <span aria-hidden='true'>{given === score ? `${sign} ✓` : sign}</span>
    </Button>
  ));
}
