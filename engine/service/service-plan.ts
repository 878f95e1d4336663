// Decides which file a service needs on this system, and which commands put it there, take it away and tell of it. Pure.
import { posix } from 'node:path';
import { EngineError } from '../errors.ts';
import { LAUNCHD_LABEL, launchdPlist, SYSTEMD_UNIT, systemdUnit, TASK_NAME, windowsTask, type ServiceSpec } from './service-files.ts';

export type Step = readonly [program: string, ...args: string[]];

export interface ServicePlan {
  readonly path: string;
  readonly text: string;
  readonly encoding: 'utf8' | 'utf16le';
  readonly install: readonly Step[];
  readonly uninstall: readonly Step[];
  /** Ends with 0 while the service is known and runs. */
  readonly status: Step;
  /** Where its output is. */
  readonly logs: string;
}

export interface ServicePlace {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly userId: number;
  readonly dataDir: string;
}

/** @throws EngineError `invalid_request` where there is no service manager that it knows */
export function planService(spec: ServiceSpec, place: ServicePlace): ServicePlan {
  if (place.platform === 'linux') return systemdPlan(spec, place);
  if (place.platform === 'darwin') return launchdPlan(spec, place);
  if (place.platform === 'win32') return taskPlan(spec, place);
  throw new EngineError('invalid_request', `Services of ${place.platform} are not known here; start \`millrace serve\` by its own means.`);
}

function systemdPlan(spec: ServiceSpec, { home }: ServicePlace): ServicePlan {
  const isOfUser = spec.user === null;
  const control = (...args: string[]): Step => ['systemctl', ...(isOfUser ? ['--user'] : []), ...args];
  return {
    path: isOfUser ? posix.join(home, '.config/systemd/user', SYSTEMD_UNIT) : `/etc/systemd/system/${SYSTEMD_UNIT}`,
    text: systemdUnit(spec),
    encoding: 'utf8',
    install: [control('daemon-reload'), control('enable', SYSTEMD_UNIT), control('restart', SYSTEMD_UNIT)],
    uninstall: [control('disable', '--now', SYSTEMD_UNIT)],
    status: control('is-active', SYSTEMD_UNIT),
    logs: `journalctl ${isOfUser ? '--user ' : ''}-u millrace`,
  };
}

function launchdPlan(spec: ServiceSpec, { home, userId }: ServicePlace): ServicePlan {
  const isOfUser = spec.user === null;
  const domain = isOfUser ? `gui/${userId}` : 'system';
  const path = `${isOfUser ? posix.join(home, 'Library/LaunchAgents') : '/Library/LaunchDaemons'}/${LAUNCHD_LABEL}.plist`;
  return {
    path,
    text: launchdPlist(spec),
    encoding: 'utf8',
    install: [['launchctl', 'bootstrap', domain, path]],
    uninstall: [['launchctl', 'bootout', `${domain}/${LAUNCHD_LABEL}`]],
    status: ['launchctl', 'print', `${domain}/${LAUNCHD_LABEL}`],
    logs: spec.logFile,
  };
}

function taskPlan(spec: ServiceSpec, { dataDir }: ServicePlace): ServicePlan {
  const path = `${dataDir}\\service-task.xml`;
  return {
    path,
    text: windowsTask(spec),
    encoding: 'utf16le',
    install: [
      ['schtasks', '/create', '/f', '/tn', TASK_NAME, '/xml', path],
      ['schtasks', '/run', '/tn', TASK_NAME],
    ],
    uninstall: [
      ['schtasks', '/end', '/tn', TASK_NAME],
      ['schtasks', '/delete', '/f', '/tn', TASK_NAME],
    ],
    status: ['schtasks', '/query', '/tn', TASK_NAME],
    logs: 'the console of Millrace: Windows keeps no output of tasks',
  };
}
