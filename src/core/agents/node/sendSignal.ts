import type { EndSignal, HoldSignal } from '../processes';

/** kill(2) with its expected failures as answers. */
export function sendSignal(pid: number, signal: EndSignal | HoldSignal): 'sent' | 'gone' | 'refused' {
  if (!Number.isInteger(pid) || pid <= 1) return 'refused'; // 0 and negatives address groups, 1 is init
  try {
    process.kill(pid, signal);
    return 'sent';
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'refused';
    throw error;
  }
}
