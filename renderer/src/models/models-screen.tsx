// The models screen.
import { useNow } from '../live/use-live.tsx';
import { Models } from '../models.tsx';
import { Screen } from '../shell/screen.tsx';

export function ModelsScreen() {
  const now = useNow();
  return (
    <Screen title='Models'>
      <Models models={now?.models ?? null} />
    </Screen>
  );
}
