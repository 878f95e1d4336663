// One request while it is under way; once it has ended, the way to its own timeline.
import type { LiveRequest } from '../../../engine/contract.ts';
import { formatCount, formatDuration, formatRate, formatSpan, formatUsd, orDash } from '../format.ts';
import { RouteDecisionOf } from '../history/route-decision.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Facts } from '../parts/facts.tsx';

export interface LiveRequestDialogProps {
  /** Null: closed. */
  readonly id: string | null;
  /** Null: it is no longer under way. */
  readonly request: LiveRequest | null;
  readonly onClose: () => void;
}

export function LiveRequestDialog({ id, request, onClose }: LiveRequestDialogProps) {
  return (
    <Dialog title={`Request ${id ?? ''}`} open={id !== null} onClose={onClose}>
      {request === null ? (
        <p>
          It has ended. <a href={`#/history?search=${encodeURIComponent(id ?? '')}`}>See where its time went</a>
        </p>
      ) : (
        <>
          <Facts facts={factsOf(request)} />
          {request.routeReason !== null && <RouteDecisionOf requestId={request.id} />}
        </>
      )}
    </Dialog>
  );
}

function factsOf(request: LiveRequest): readonly (readonly [string, string])[] {
  const { phase, position, etaMs } = request;
  return [
    [
      'Phase',
      position === null
        ? phase
        : `${phase}, position ${position}, ${etaMs === null ? 'start not known yet' : `starts in ${formatSpan(etaMs)}`}`,
    ],
    ['Asked for', request.modelAsked],
    ['Answered by', request.model ?? 'not decided yet'],
    ['Why', request.routeReason ?? 'the model was named'],
    ['Endpoint', request.endpoint],
    ['Tenant', request.tenant],
    ['Age', formatDuration(request.ageMs)],
    ['Waited', formatDuration(request.waitMs)],
    ['Time to first token', orDash(request.ttftMs, formatDuration)],
    ['Tokens', `${orDash(request.promptTokens, formatCount)} in, ${formatCount(request.completionTokens)} out`],
    ['Speed', orDash(request.tokensPerSecond, (rate) => `${formatRate(rate)} tok/s`)],
    ['Cost so far', formatUsd(request.costUsd)],
  ];
}
