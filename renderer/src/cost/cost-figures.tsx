// The main figures: cost, saving and quality side by side.
import type { CostReport } from '../../../engine/contract.ts';
import { formatPrice, formatShare, formatUsd, orDash, PER_1K_TOKENS, PER_ANSWER, PER_REQUEST, plural, type PriceUnit } from '../format.ts';
import { Panel } from '../parts/panel.tsx';
import { Stat } from '../parts/stat.tsx';

export function CostFigures({ report: { total, quality } }: { readonly report: CostReport }) {
  const price = (usd: number | null, unit: PriceUnit) => (usd === null ? { value: null } : formatPrice(usd, unit));
  const none = 'no request in this range';
  return (
    <div className='cost-figures'>
      <Panel title='Cost'>
        <div className='cost-stats'>
          <Stat label='Per request' {...price(total.perRequestUsd, PER_REQUEST)} unknown={none} />
          <Stat label='Per 1,000 tokens' {...price(total.per1kTokensUsd, PER_1K_TOKENS)} unknown={none} />
          <Stat
            label='Saved against premium'
            value={total.savedShare === null ? null : formatShare(total.savedShare)}
            unknown={none}
            note={`premium: ${formatUsd(total.premiumUsd)}`}
          />
          <Stat label='Requests together' value={formatUsd(total.costUsd)} note={plural(total.requests, 'request')} />
        </div>
      </Panel>
      <Panel title='Quality'>
        <div className='cost-stats'>
          {quality.kind === 'measured' ? (
            <Stat
              label='Share of premium'
              value={quality.mean.toFixed(2)}
              plusMinus={quality.plusMinus.toFixed(2)}
              note={`${plural(quality.graded, 'answer')} graded`}
            />
          ) : (
            <Stat label='Share of premium' value={null} note='No answers have been graded.' />
          )}
          <Stat
            label='Cost per quality-adjusted answer'
            {...price(total.perQualityAdjustedResponseUsd, PER_ANSWER)}
            note={orDash(total.perRequestUsd, () => 'cost per request ÷ quality')}
          />
        </div>
      </Panel>
    </div>
  );
}
