// Several jobs at a time, on a machine whose processors would else wait for the tests that wait.

/** Runs the jobs in their order, `atATime` of them side by side; resolves with their answers, in the order of the jobs. */
export async function sideBySide(atATime, jobs) {
  const answers = [];
  let next = 0;
  const lane = async () => {
    while (next < jobs.length) {
      const at = next++;
      answers[at] = await jobs[at]();
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  return answers;
}

/**
 * A function that runs jobs for several callers, never more than `count` at a time; who asks first is served first. Its `open`
 * allows so many more.
 */
export function sharedSlots(count) {
  let free = count;
  const waiting = [];
  const release = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  const slots = async (job) => {
    if (free > 0) free -= 1;
    else await new Promise((resolve) => waiting.push(resolve));
    try {
      return await job();
    } finally {
      release();
    }
  };
  slots.open = (more) => {
    for (let opened = 0; opened < more; opened++) release();
  };
  return slots;
}

/** What is left of a time limit that begins now, in milliseconds; never so little that it would mean no limit. */
export function limitOf(timeoutMs) {
  const endMs = performance.now() + timeoutMs;
  return () => Math.max(1, endMs - performance.now());
}
