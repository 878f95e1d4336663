// Shows the sign-in page in the place of the console to whoever may not use it.
import { lazy, Suspense, type ReactNode } from 'react';
import type { SessionInfo } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';

const SignIn = lazy(async () => ({ default: (await import('./sign-in.tsx')).SignIn }));

/** Until the engine has said, and where it does not say, the console is shown. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const { data } = useRead<SessionInfo>('/api/session');
  if (data === undefined || data.admin) return children;
  return (
    <Suspense fallback={null}>
      <SignIn session={data} />
    </Suspense>
  );
}
