// What concerns the desktop app itself; nothing in a browser.
import { useEffect, useState } from 'react';
import { Check } from '../parts/field.tsx';
import { Panel } from '../parts/panel.tsx';
import { useToast } from '../parts/toast.tsx';
import { desktopShell, type DesktopInfo, type DesktopShell } from '../shell/desktop.ts';

export function DesktopSection() {
  const shell = desktopShell();
  return shell === null ? null : <AppPanel shell={shell} />;
}

function AppPanel({ shell }: { readonly shell: DesktopShell }) {
  const [info, setInfo] = useState<DesktopInfo | null>(null);
  const toast = useToast();
  useEffect(() => {
    let isOver = false;
    void shell.info().then((answer) => !isOver && setInfo(answer));
    return () => {
      isOver = true;
    };
  }, [shell]);
  if (info === null) return null;
  const setOpenAtLogin = async (on: boolean): Promise<void> => {
    setInfo({ ...info, openAtLogin: on });
    const openAtLogin = await shell.setOpenAtLogin(on).catch(() => info.openAtLogin);
    setInfo({ ...info, openAtLogin });
    if (openAtLogin !== on) toast({ text: 'The system did not take the change.', tone: 'problem' });
  };
  return (
    <Panel title='This app' className='settings-section'>
      <Check label='Open at login' checked={info.openAtLogin} onChange={(on) => void setOpenAtLogin(on)} />
      <p className='quiet'>
        The server then runs from your login on, with its icon beside the clock. Millrace {info.version} on {info.platform}.
      </p>
    </Panel>
  );
}
