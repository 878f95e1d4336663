// Owns the settings a new installation starts with. Its prices are examples to be edited.
import type { Settings } from '../../contract.ts';
import { DEFAULT_RULES } from '../alerts/default-rules.ts';

export const DEFAULT_SETTINGS: Settings = {
  cost: {
    tariffUsdPerKwh: 0.3,
    hardwarePriceUsd: 1500,
    hardwareLifeYears: 4,
    idleWatts: 40,
    busyWatts: 120,
    // USD per million tokens, as known in 2025 and not checked since. The providers' pages say what holds: openai.com/api/pricing,
    // anthropic.com/pricing, ai.google.dev/pricing.
    upstreamPrices: [
      { name: 'gpt-4o', promptUsdPerMillion: 2.5, completionUsdPerMillion: 10 },
      { name: 'gpt-4o-mini', promptUsdPerMillion: 0.15, completionUsdPerMillion: 0.6 },
      { name: 'claude-sonnet-4', promptUsdPerMillion: 3, completionUsdPerMillion: 15 },
      { name: 'claude-3.5-haiku', promptUsdPerMillion: 0.8, completionUsdPerMillion: 4 },
      { name: 'gemini-2.5-pro', promptUsdPerMillion: 1.25, completionUsdPerMillion: 10 },
    ],
    premium: 'gpt-4o',
    rentPrices: [
      { name: 'T4', usdPerHour: 0.5 },
      { name: 'A100', usdPerHour: 3 },
    ],
  },
  // With these a year of 20,000 requests a day stays under 200 MB: `npm run bench -- --only history`.
  retention: { secondsHours: 24, minutesDays: 30, hoursDays: 400, requestsDays: 30 },
  slos: { fallback: { ttftMs: 2000, interTokenMs: 200, totalMs: null }, models: {} },
  alerts: { rules: DEFAULT_RULES, desktop: true, webhookUrl: null, webhookSecret: null },
  cache: { enabled: true, maxBytes: 256 * 2 ** 20, maxAgeHours: 720, shared: false, semanticSimilarity: null, semanticModel: null },
  // Nothing leaves this machine before its user says so.
  routing: {
    tiers: { fast: [], balanced: [], premium: [] },
    aliases: [],
    qualityBar: 0.95,
    latencyGoalMs: 5000,
    degrade: true,
    firstTokenTimeoutMs: null,
    upstreams: [],
    upstreamFor: 'nobody',
    upstreamTenants: [],
    upstreamMonthlyUsd: 20,
    shadowShare: 0,
    shadowDailyUsd: 1,
  },
  // Above 85 °C most processors begin to slow down for everybody.
  batch: { windows: [], mainsOnly: true, maxCelsius: 85, maxUsdPerKwh: null, tariffs: [], maxRows: null },
  // On SmolLM2-135M-Instruct INT8 loses 0.3 to 0.5% of perplexity, INT4 made from float32 about 5%.
  quality: { int8Loss: 0.01, int4Loss: 0.06 },
  pinnedModels: [],
  idleUnloadMinutes: 30,
};
