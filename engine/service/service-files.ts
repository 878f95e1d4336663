// Owns the file by which each system knows a service: systemd's unit, launchd's property list, Windows' task. Pure.

export interface ServiceSpec {
  /** Absolute path of the program, then its arguments. */
  readonly command: readonly string[];
  /** Whose rights a unit of the whole system has; null: a service of the user who installs it. */
  readonly user: string | null;
  /** Seconds that running requests get after SIGTERM. */
  readonly drainSeconds: number;
  /** launchd: where what it prints goes. systemd keeps it in its journal, which it rotates. */
  readonly logFile: string;
}

export const SYSTEMD_UNIT = 'millrace.service';
export const LAUNCHD_LABEL = 'app.millrace.server';
export const TASK_NAME = 'Millrace';
/** Beyond the drain, for processes to end. */
const END_SECONDS = 15;

/** https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html */
export function systemdUnit({ command, user, drainSeconds }: ServiceSpec): string {
  return `[Unit]
Description=Millrace model server
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=${command.map(systemdWord).join(' ')}
${user === null ? '' : `User=${user}\n`}Restart=on-failure
RestartSec=2
TimeoutStopSec=${drainSeconds + END_SECONDS}
KillMode=mixed
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=${user === null ? 'default.target' : 'multi-user.target'}
`;
}

/** In quotes, with what systemd would expand (specifiers, variables, escapes) taken as it is. */
function systemdWord(word: string): string {
  return `"${word
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')}"`;
}

/** launchd.plist(5) */
export function launchdPlist({ command, user, drainSeconds, logFile }: ServiceSpec): string {
  const words = command.map((word) => `    <string>${xmlText(word)}</string>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LAUNCHD_LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
${user === null ? '' : `  <key>UserName</key>\n  <string>${xmlText(user)}</string>\n`}  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>${drainSeconds + END_SECONDS}</integer>
  <key>StandardErrorPath</key>
  <string>${xmlText(logFile)}</string>
</dict>
</plist>
`;
}

/** https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema ; for `schtasks /create /xml`, in UTF-16. */
export function windowsTask({ command, user }: ServiceSpec): string {
  const [program = '', ...words] = command;
  const account = user === null ? '' : '\n      <UserId>S-1-5-18</UserId>';
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers>
    ${user === null ? '<LogonTrigger><Enabled>true</Enabled></LogonTrigger>' : '<BootTrigger><Enabled>true</Enabled></BootTrigger>'}
  </Triggers>
  <Principals>
    <Principal id="Author">${account}
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${xmlText(program)}</Command>
      <Arguments>${xmlText(words.map(windowsWord).join(' '))}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}

/** As the C runtime of Windows splits a command line: backslashes count before a quote alone. */
function windowsWord(word: string): string {
  return `"${word.replaceAll(/(\\*)"/g, String.raw`$1$1\"`).replace(/\\+$/, '$&$&')}"`;
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
