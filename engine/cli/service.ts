// `millrace service`: puts the server under the system's own service manager, takes it out, and tells whether it runs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineConfig } from '../config.ts';
import { EngineError } from '../errors.ts';
import { engineLockPath, lockOwner } from '../instance-lock.ts';
import { planService, type ServicePlan, type Step } from '../service/service-plan.ts';
import { EXIT } from './exit-codes.ts';

export interface ServiceWish {
  /** For the whole machine, from its start on; else for this user. */
  readonly system: boolean;
  /** Flags of `millrace serve`, as they were typed. */
  readonly serveArgs: readonly string[];
}

const CLI_ENTRY = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** @throws EngineError `invalid_request` with what the service manager said */
export function installService(config: EngineConfig, wish: ServiceWish, print: boolean): void {
  const plan = planFor(config, wish);
  if (print) return write(`# ${plan.path}\n${plan.text}`);
  mkdirSync(dirname(plan.path), { recursive: true });
  writeFileSync(plan.path, plan.encoding === 'utf16le' ? `\uFEFF${plan.text}` : plan.text, { encoding: plan.encoding });
  for (const step of plan.install) run(step);
  write(`Millrace is a service now (${plan.path}).\nIts log: ${plan.logs}`);
}

/** @throws EngineError `invalid_request` when there is none, or with what the service manager said */
export function uninstallService(config: EngineConfig, wish: ServiceWish): void {
  const plan = planFor(config, wish);
  if (!existsSync(plan.path)) throw new EngineError('invalid_request', `There is no service to remove: ${plan.path} is not there.`);
  // One that has ended already cannot be ended again; the file goes all the same.
  const faults = plan.uninstall.flatMap((step) => faultOf(step) ?? []);
  rmSync(plan.path);
  write(`The service is removed; models and state in ${config.dataDir} stay.`);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
}

/** Exit code 0 while it runs. */
export function tellService(config: EngineConfig, wish: ServiceWish, json: boolean): number {
  const plan = planFor(config, wish);
  const installed = existsSync(plan.path);
  const running = installed && faultOf(plan.status) === null;
  const address = lockOwner(engineLockPath(config.dataDir))?.address ?? null;
  if (json) write(JSON.stringify({ installed, running, path: plan.path, address }));
  else write(statusLine({ installed, running, address, logs: plan.logs }));
  return running ? EXIT.ok : EXIT.failed;
}

function statusLine(state: { installed: boolean; running: boolean; address: string | null; logs: string }): string {
  if (!state.installed) return 'Not installed. millrace service install';
  if (!state.running) return `Installed, but not running. Its log: ${state.logs}`;
  return state.address === null ? 'Running; it does not answer yet.' : `Running on ${state.address}.`;
}

function planFor(config: EngineConfig, { system, serveArgs }: ServiceWish): ServicePlan {
  const dataDir = resolve(config.dataDir);
  const home = homedir();
  // A service has neither this shell's environment nor its folder.
  const command = [process.execPath, CLI_ENTRY, 'serve', '--data-dir', dataDir, ...serveArgs];
  const user = system ? (process.env['SUDO_USER'] ?? userInfo().username) : null;
  const logFile = join(home, 'Library', 'Logs', 'millrace.log');
  const spec = { command, user, drainSeconds: config.drainSeconds, logFile };
  return planService(spec, { platform: process.platform, home, userId: process.getuid?.() ?? 0, dataDir });
}

function run(step: Step): void {
  const fault = faultOf(step);
  if (fault !== null) throw new EngineError('invalid_request', fault);
}

/** What a command that failed said; null when it did not. */
function faultOf([program, ...args]: Step): string | null {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (status === 0) return null;
  return `\`${[program, ...args].join(' ')}\` failed: ${error?.message ?? stderr.trim()}`;
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}
