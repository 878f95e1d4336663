// Plots beside each other, as many in a row as fit.
import type { ReactNode } from 'react';
import './plot.css';

export function PlotGrid({ children }: { readonly children: ReactNode }) {
  return <div className='plot-grid'>{children}</div>;
}
