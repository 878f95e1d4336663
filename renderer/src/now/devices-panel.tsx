// What the machine's devices are doing: use, memory, power and temperature, each with where the figure comes from.
import type { DeviceNow, Reading } from '../../../engine/contract.ts';
import { formatBytesOf, formatShare, orDash } from '../format.ts';
import { Bar } from '../parts/bar.tsx';
import { Panel } from '../parts/panel.tsx';

/** From this share on, memory is nearly full. */
const NEARLY_FULL = 0.95;

export function DevicesPanel({ devices }: { readonly devices: readonly DeviceNow[] }) {
  return (
    <Panel title='Devices'>
      {devices.length === 0 && <p className='quiet'>No reading of the machine yet.</p>}
      {devices.map((device) => (
        <Device key={device.id} device={device} />
      ))}
    </Panel>
  );
}

function Device({ device }: { readonly device: DeviceNow }) {
  const { id, kind, name, utilisation, memoryUsedBytes: used, memoryTotalBytes: total } = device;
  const memoryShare = used === null || total === null || total === 0 ? null : used / total;
  const isFull = memoryShare !== null && memoryShare > NEARLY_FULL;
  const label = kind === 'cpu' ? 'CPU' : id.replace('gpu', 'GPU ');
  return (
    <div className='device' title={name}>
      <a className='small ellipsis' href={`#/history?device=${encodeURIComponent(id)}`} aria-label={`History of ${label}, ${name}`}>
        {name}
      </a>
      <Bar label={label} share={utilisation} text={orDash(utilisation, formatShare)} />
      <Bar
        label={kind === 'cpu' ? 'Memory' : 'VRAM'}
        share={memoryShare}
        text={used === null || total === null ? '–' : `${isFull ? '◆ ' : ''}${formatBytesOf(used, total)}`}
        tone={isFull ? 'problem' : 'plain'}
      />
      <p className='quiet small device-facts'>
        <Figure reading={device.powerWatts} unit='W' /> · <Figure reading={device.temperatureCelsius} unit='°C' />
      </p>
    </div>
  );
}

/** `65 W`, `~65 W (estimate)`, `W unknown` */
function Figure({ reading, unit }: { readonly reading: Reading; readonly unit: string }) {
  const { value, source, basis } = reading;
  const text = value === null ? `${unit} unknown` : `${source === 'estimated' ? '~' : ''}${value.toFixed(0)} ${unit}`;
  return (
    <span title={basis}>
      {text}
      {value !== null && source === 'estimated' && ' (estimate)'}
    </span>
  );
}
