// Judges the ten points of a serving deployment by the evidence. Pure.
import { CHECK_POINTS, type CheckItem, type CheckPoint } from '../contract.ts';
import type { Evidence } from './evidence.ts';
import { itemOf, mendOf, type Finding, type Mend } from './judge.ts';
import { degradation, loadTest } from './points/resilience.ts';
import { caching, costAndQuality, rightSizing, routing, spareCapacity } from './points/saving.ts';
import { batching, quantisation, utilisation } from './points/serving.ts';
import { sizingAdvice } from './right-sizing.ts';

interface Point {
  readonly title: string;
  readonly find: (evidence: Evidence) => Finding;
}

const POINTS: Readonly<Record<CheckPoint, Point>> = {
  quantisation: { title: 'Models at INT8 or below', find: quantisation },
  batching: { title: 'Batching', find: batching },
  routing: { title: 'Router in use', find: routing },
  spare_capacity: { title: 'Batch work on spare capacity', find: spareCapacity },
  right_sizing: { title: 'Right-sizing', find: (evidence) => rightSizing(evidence, sizingAdvice(evidence)) },
  utilisation: { title: 'Utilisation and autoscaling', find: utilisation },
  caching: { title: 'Cache hit rate', find: caching },
  load_test: { title: 'Load test at twice the peak', find: loadTest },
  degradation: { title: 'Degradation, configured and drilled', find: degradation },
  cost_and_quality: { title: 'Cost beside latency and quality', find: costAndQuality },
};

export function evaluate(evidence: Evidence): readonly CheckItem[] {
  return CHECK_POINTS.map((point) => itemOf(point, POINTS[point].title, findingOf(point, evidence)));
}

/** What one click would do about a point; null where it takes more, or nothing is to be done. */
export function decideMend(point: CheckPoint, evidence: Evidence): Mend | null {
  return mendOf(findingOf(point, evidence));
}

const OTHER_TEST = 'Send twice the requests of your busiest hour with a load generator, and watch History.';

/** What cannot be done here is not offered as one click. */
function findingOf(point: CheckPoint, evidence: Evidence): Finding {
  const finding = POINTS[point].find(evidence);
  if (finding.remedy?.kind !== 'load_test' || evidence.canLoadTest) return finding;
  return { ...finding, remedy: { kind: 'advice', text: OTHER_TEST } };
}
