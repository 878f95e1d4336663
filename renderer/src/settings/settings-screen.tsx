// Everything that can be set, in groups that are saved one by one.
import { ErrorNote } from '../parts/error-note.tsx';
import { Loading } from '../parts/empty.tsx';
import { Screen } from '../shell/screen.tsx';
import { BatchSection } from './batch-section.tsx';
import { MachineSection, RentSection, UpstreamSection } from './cost-sections.tsx';
import { DesktopSection } from './desktop-section.tsx';
import { AppearanceSection, NotificationSection } from './personal-sections.tsx';
import { CacheSection, RetentionSection, SloSection, UnloadSection } from './serving-sections.tsx';
import { useSettings } from './use-settings.ts';
import './settings.css';

export function SettingsScreen() {
  const { settings, error, retry, save } = useSettings();
  return (
    <Screen title='Settings'>
      <div className='settings'>
        <AppearanceSection />
        <DesktopSection />
        {error !== null && <ErrorNote error={error} what='The settings could not be read.' onRetry={retry} />}
        {settings === null && error === null && <Loading lines={8} />}
        {settings !== null && (
          <>
            <MachineSection cost={settings.cost} save={save} />
            <UpstreamSection cost={settings.cost} save={save} />
            <RentSection cost={settings.cost} save={save} />
            <SloSection settings={settings} save={save} />
            <UnloadSection settings={settings} save={save} />
            <RetentionSection settings={settings} save={save} />
            <CacheSection settings={settings} save={save} />
            <BatchSection settings={settings} save={save} />
            <NotificationSection alerts={settings.alerts} save={save} />
          </>
        )}
      </div>
    </Screen>
  );
}
