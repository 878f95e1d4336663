// One point: how it stands, the figure, and the one thing that mends it, which can be undone where it was a setting.
import type { CheckAction, CheckItem, MendAnswer } from '../../../engine/contract.ts';
import { describeError } from '../api/api-error.ts';
import { useChange } from '../api/queries.tsx';
import { Button } from '../parts/button.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { useToast } from '../parts/toast.tsx';

const STATES: Readonly<Record<CheckItem['state'], { readonly tone: Tone; readonly word: string }>> = {
  good: { tone: 'ok', word: 'good' },
  attention: { tone: 'warning', word: 'look at this' },
  bad: { tone: 'problem', word: 'problem' },
  unknown: { tone: 'idle', word: 'not known yet' },
};

export function CheckCard({ item }: { readonly item: CheckItem }) {
  const { title, state, figure, sentence, action } = item;
  return (
    <li className='check-point'>
      <div className='row'>
        <strong>{title}</strong>
        <Status {...STATES[state]} />
      </div>
      <p className='wrap-anywhere'>{figure}</p>
      <p className='quiet wrap-anywhere'>{sentence}</p>
      {action !== null && <Remedy item={item} action={action} />}
    </li>
  );
}

function Remedy({ item, action }: { readonly item: CheckItem; readonly action: CheckAction }) {
  if (action.kind === 'advice') return <p className='wrap-anywhere'>{action.text}</p>;
  if (action.kind === 'open') return <a href={`#${action.path}`}>{action.label}</a>;
  return <MendButton item={item} label={action.label} />;
}

function MendButton({ item: { point, title }, label }: { readonly item: CheckItem; readonly label: string }) {
  const toast = useToast();
  const mend = useChange<MendAnswer>(['/api/checklist', '/api/settings']);
  const takeBack = useChange(['/api/checklist', '/api/settings']);
  const failed = (error: unknown): void => toast({ text: describeError(error).message, tone: 'problem' });
  const onClick = (): void =>
    mend.mutate(
      { method: 'POST', path: `/api/checklist/${point}/mend` },
      {
        onSuccess: ({ done, undo }) =>
          toast({
            text: done,
            ...(undo === null
              ? {}
              : { undo: () => takeBack.mutate({ method: 'PUT', path: '/api/settings', body: undo }, { onError: failed }) }),
          }),
        onError: failed,
      },
    );
  return (
    <div>
      <Button busy={mend.isPending} aria-label={`${title}: ${label}`} onClick={onClick}>
        {label}
      </Button>
    </div>
  );
}
