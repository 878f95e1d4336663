// Cost and quality side by side, each with its uncertainty.
import type { CostNow, QualityNow } from '../../../engine/contract.ts';
import { formatPrice, formatShare, formatUsd, PER_REQUEST, plural } from '../format.ts';
import { Panel } from '../parts/panel.tsx';
import { Stat } from '../parts/stat.tsx';

export function CostPanel({ cost, quality }: { readonly cost: CostNow; readonly quality: QualityNow }) {
  return (
    <Panel title='Cost and quality, last 24 h' actions={<a href='#/cost'>Details</a>}>
      <div className='now-pair'>
        <div className='stack'>
          <div className='now-stats'>
            <Stat
              label='Cost per request'
              {...(cost.perRequestUsd === null ? { value: null } : formatPrice(cost.perRequestUsd, PER_REQUEST))}
              unknown='no request yet'
            />
            <Stat
              label='Saved against premium'
              value={cost.savedShare === null ? null : formatShare(cost.savedShare)}
              unknown='no request yet'
            />
          </div>
          <p className='quiet small'>{describeCost(cost)}</p>
        </div>
        <Quality quality={quality} />
      </div>
    </Panel>
  );
}

/** `412 requests, busy $0.21, idle $0.90; power is an estimate` */
function describeCost({ requests, busyUsd, idleUsd, upstreamUsd, measured }: CostNow): string {
  const upstream = upstreamUsd > 0 ? `, upstream ${formatUsd(upstreamUsd)}` : '';
  const basis = measured ? 'power is measured' : 'power or prices are estimates';
  return `${plural(requests, 'request')}; busy ${formatUsd(busyUsd)}, idle ${formatUsd(idleUsd)}${upstream}; ${basis}.`;
}

function Quality({ quality }: { readonly quality: QualityNow }) {
  const measured = quality.kind === 'measured' ? quality : null;
  return (
    <Stat
      label='Quality, share of premium'
      value={measured === null ? null : measured.mean.toFixed(2)}
      {...(measured === null ? {} : { plusMinus: measured.plusMinus.toFixed(2) })}
      note={measured === null ? 'No answers have been graded.' : `${plural(measured.graded, 'answer')} graded`}
    />
  );
}
