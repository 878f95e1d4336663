// What the plots are about: everything, one model, or one device.
import { useNow } from '../live/use-live.tsx';
import { Select } from '../parts/select.tsx';
import { usePlaceQuery } from '../shell/hash-location.ts';

export function SubjectSelect() {
  const now = useNow();
  const [query, change] = usePlaceQuery();
  const [model, device] = [query.get('model'), query.get('device')];
  const models = new Set([...(now?.models.map(({ id }) => id) ?? []), ...(model === null ? [] : [model])]);
  const devices = new Set([...(now?.devices.map(({ id }) => id) ?? []), ...(device === null ? [] : [device])]);
  const options = [
    { value: 'all', label: 'all models' },
    ...[...models].map((id) => ({ value: `model ${id}`, label: id })),
    ...[...devices].map((id) => ({ value: `device ${id}`, label: `device ${id}` })),
  ];
  const value = model === null ? 'all' : `model ${model}`;
  const choose = (chosen: string): void =>
    change({
      model: chosen.startsWith('model ') ? chosen.slice(6) : null,
      device: chosen.startsWith('device ') ? chosen.slice(7) : null,
    });
  return (
    <Select label='Model or device' hideLabel value={device === null ? value : `device ${device}`} options={options} onChange={choose} />
  );
}
