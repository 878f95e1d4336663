// `/api/checklist`: the ten points of a deployment judged by evidence, their mends, and the drill.
import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import type { ChecklistControl, ProbeDoor } from '../../checklist/checklist-control.ts';
import { CHECK_POINTS, DRILL_STEPS, type ChecklistAnswer, type DrillNow, type MendAnswer } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { GatewayApp, GatewayContext } from '../context.ts';
import { errorResponses } from '../routes/response-schemas.ts';
import { nullable, shaped } from './response-schemas.ts';

const text = Type.String();
const ms = Type.Number();
const action = Type.Union([
  Type.Object({ kind: Type.Literal('mend'), label: text }),
  Type.Object({ kind: Type.Literal('open'), label: text, path: text }),
  Type.Object({ kind: Type.Literal('advice'), text }),
]);
const item = Type.Object({
  point: Type.Enum([...CHECK_POINTS]),
  title: text,
  state: Type.Enum(['good', 'attention', 'bad', 'unknown']),
  figure: text,
  sentence: text,
  action: nullable(action),
});
const advice = Type.Object({ id: text, subject: text, kind: Type.Enum(['change', 'note']), sentence: text, basis: text });
const probe = Type.Object({
  status: Type.Integer({ description: '0: no answer at all.' }),
  errorCode: nullable(text),
  ttftMs: nullable(ms),
  totalMs: ms,
  model: nullable(text),
});
const step = Type.Object({
  step: Type.Enum([...DRILL_STEPS]),
  verdict: Type.Enum(['passed', 'failed', 'skipped']),
  sentence: text,
  recoveryMs: nullable(ms),
  probes: Type.Array(probe),
});
const report = Type.Object({
  startedMs: ms,
  endedMs: ms,
  forced: Type.Boolean(),
  model: text,
  baselineTtftMs: nullable(ms),
  passed: Type.Boolean(),
  steps: Type.Array(step),
});
const running = Type.Object({ step: Type.Enum(['baseline', ...DRILL_STEPS]), startedMs: ms });
const drill = Type.Object({ running: nullable(running), refusal: nullable(text), reports: Type.Array(report) });
const checklist = Type.Object({ atMs: ms, items: Type.Array(item), advice: Type.Array(advice), drill });
const checklistAnswer = shaped<ChecklistAnswer>()(checklist);
const undo = Type.Record(Type.String(), Type.Unknown(), { description: 'Part of the settings that takes it back.' });
const mendAnswer = Type.Unsafe<MendAnswer>(Type.Object({ done: text, undo: nullable(undo), checklist }));

const getSchema = { tags: ['Console'], summary: 'The deployment’s checklist', response: { 200: checklistAnswer, ...errorResponses } };
const mendSchema = {
  tags: ['Console'],
  summary: 'Mend a point of the checklist',
  params: Type.Object({ point: Type.Enum([...CHECK_POINTS]) }),
  response: { 200: mendAnswer, ...errorResponses },
};
const drillSchema = {
  tags: ['Console'],
  summary: 'Start a drill',
  description:
    'Kills a model’s process, fills its queue and cuts an upstream, and notes what its own requests met. Refused while people are served unless it is forced.',
  body: Type.Object({ force: Type.Optional(Type.Boolean()) }),
  response: { 200: shaped<DrillNow>()(drill), ...errorResponses },
};

export function checklistRoutes(app: GatewayApp, context: GatewayContext, checklist: () => Promise<ChecklistControl>): void {
  app.get('/api/checklist', { schema: getSchema }, async () => (await checklist()).read());
  app.post('/api/checklist/:point/mend', { schema: mendSchema }, async ({ params, headers }) => {
    return (await checklist()).mend(params.point, doorOf(context, headers));
  });
  app.post('/api/checklist/drill', { schema: drillSchema }, async ({ body, headers }) => {
    return (await checklist()).drill(doorOf(context, headers), body.force === true);
  });
}

/** Probes enter as whoever asked for them. */
function doorOf({ address }: GatewayContext, { authorization, cookie }: IncomingHttpHeaders): ProbeDoor {
  const url = address();
  if (url === null) throw new EngineError('draining', 'The server does not listen.');
  const headers = { ...(authorization === undefined ? {} : { authorization }), ...(cookie === undefined ? {} : { cookie }) };
  return { url, headers };
}
