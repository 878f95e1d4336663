// `GET /api/cost`: what a range of time cost, by model, key, endpoint or day.
import { Type } from 'typebox';
import type { CostReport, QualityNow } from '../../contract.ts';
import { perQualityAdjustedUsd } from '../../ledger/cost/formulas.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { queryCompiler, rangeFields, readRange } from './query.ts';
import { costReport } from './response-schemas.ts';
import type { ConsoleServices } from './services.ts';

const schema = {
  tags: ['Console'],
  summary: 'What it cost',
  querystring: Type.Object({ ...rangeFields, by: Type.Optional(Type.Enum(['model', 'key', 'endpoint', 'day'])) }),
  response: { 200: costReport, ...errorResponses },
};

export function costRoute(app: GatewayApp, { now, router }: GatewayContext, services: () => Promise<ConsoleServices>): void {
  app.get('/api/cost', { schema, validatorCompiler: queryCompiler }, async ({ query }) => {
    const { ledger } = await services();
    const report = await ledger.costs(readRange(query, now()), query.by ?? 'model');
    return withQuality(report, router?.quality() ?? report.quality);
  });
}

function withQuality(report: CostReport, quality: QualityNow): CostReport {
  const mean = quality.kind === 'measured' ? quality.mean : null;
  const perQualityAdjustedResponseUsd = perQualityAdjustedUsd(report.total.perRequestUsd, mean);
  return { ...report, quality, total: { ...report.total, perQualityAdjustedResponseUsd } };
}
