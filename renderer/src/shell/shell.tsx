// The frame around every screen: header, navigation, banners, the screen itself, and what keys do.
import { Component, lazy, Suspense, useCallback, useState, type ReactNode } from 'react';
import { ErrorNote } from '../parts/error-note.tsx';
import { Loading } from '../parts/empty.tsx';
import { Banners } from './banners.tsx';
import { Header } from './header.tsx';
import { useHashPath } from './hash-location.ts';
import { Navigation } from './navigation.tsx';
import { useKeys } from './use-keys.ts';
import './shell.css';

const Palette = lazy(async () => ({ default: (await import('./palette.tsx')).Palette }));

export function Shell({ children }: { readonly children: ReactNode }) {
  const [paletteOpen, setPaletteOpen] = useState(false);
  const openPalette = useCallback(() => setPaletteOpen(true), []);
  const [path] = useHashPath();
  useKeys(openPalette);
  return (
    <div className='shell'>
      <a className='skip' href='#content' onClick={skipToContent}>
        Skip to the content
      </a>
      <Header openPalette={openPalette} />
      <Navigation />
      <main id='content' className='main' tabIndex={-1}>
        <Banners />
        <ScreenFault key={path}>
          <Suspense fallback={<Loading lines={6} />}>{children}</Suspense>
        </ScreenFault>
      </main>
      {paletteOpen && (
        <Suspense fallback={null}>
          <Palette onClose={() => setPaletteOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** The link's own target would be taken for a screen, since screens live in the hash. */
function skipToContent(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#content')?.focus();
}

/** A screen that fails leaves the others and the header as they are. */
class ScreenFault extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <ErrorNote error={this.state.error} what='This screen could not be drawn.' onRetry={() => this.setState({ error: null })} />;
  }
}
