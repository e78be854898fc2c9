import type { Director } from './director';
import { IDLE, NOTHING, OVERLAY, OWN_DIALOG, QUESTION, type Scene, SIGN_IN } from './scene';
import type { ExpectedReading } from '../recordedScreens';

/** Something that covers the usual screen, how it is opened and how it is left. */
export interface Overlay {
  readonly name: string;
  /** A slash command, or keys. */
  readonly open: string | readonly string[];
  readonly leave?: readonly string[];
  readonly expected?: ExpectedReading;
}

/** Opens one after the other, in a conversation that has begun. */
export function overlayScene(overlays: readonly Overlay[], name = 'overlays'): Scene {
  return {
    name,
    async play(director: Director): Promise<void> {
      await director.ready();
      await director.ask('Some lines. [[lines: 12]]');
      await director.finished();
      for (const overlay of overlays) {
        if (typeof overlay.open === 'string') {
          await director.type(overlay.open);
          await director.pause(400);
          await director.keys('Enter');
        } else {
          await director.keys(...overlay.open);
        }
        await director.pause(1200);
        await director.take(overlay.name, overlay.expected ?? OVERLAY);
        await director.keys(...(overlay.leave ?? ['Escape']));
        await director.pause(700);
      }
    },
  };
}

/** Answers the questions after an installation, one after the other, until the program is ready. */
export function freshScene(steps: readonly (readonly string[])[]): Scene {
  return {
    name: 'fresh',
    setup: { isFresh: true },
    async play(director: Director): Promise<void> {
      await director.pause(5000);
      for (const [index, keys] of steps.entries()) {
        const { lines, isDead } = await director.terminal.look();
        if (isDead || director.dialect.ready.test(lines.join('\n'))) return;
        await director.take(`onboarding-${index + 1}`, OWN_DIALOG);
        await director.keys(...keys);
        await director.pause(2500);
      }
    },
  };
}

/** Nobody has signed in: it asks how to. Then it is moved over the answers, none of which works without a network. */
export function signedOutScene(): Scene {
  return {
    name: 'signed-out',
    setup: { isFresh: true, isSignedOut: true },
    async play(director: Director): Promise<void> {
      await director.until(/1\. Sign in/);
      await director.take('sign-in', SIGN_IN);
      await director.keys('Down');
      await director.take('sign-in-second-option', SIGN_IN);
    },
  };
}

/** An answer that repeats itself: the program asks whether it is meant. */
export function loopScene(): Scene {
  return {
    name: 'loop',
    async play(director: Director): Promise<void> {
      await director.ready();
      await director.ask(`Draw. [[reply: ${Array.from({ length: 12 }, () => `${'─'.repeat(60)}\n`).join('')}]]`);
      await director.until(/loop was detected/);
      await director.take('loop-asked', QUESTION);
      await director.keys('Down');
      await director.take('loop-asked-second-option', QUESTION);
      await director.keys('Enter');
      await director.pause(5_000);
    },
  };
}

/** Asked to end, ended, killed. */
export function endScenes(exitCommand: string, confirmKeys: readonly string[]): readonly Scene[] {
  return [
    {
      name: 'exit',
      async play(director: Director): Promise<void> {
        await director.ready();
        for (const key of confirmKeys) {
          await director.keys(key);
          await director.take(`exit-asked-${key.toLowerCase()}`, IDLE);
          await director.pause(3000);
        }
        await director.take('exit-not-confirmed', IDLE);
        await director.type(exitCommand);
        await director.pause(500);
        await director.keys('Enter');
        await director.pause(2500);
        await director.take('exited', NOTHING);
      },
    },
    {
      name: 'killed',
      async play(director: Director): Promise<void> {
        await director.snap('starting', NOTHING);
        await director.ready();
        await director.ask('Stream. [[slow: 10]]');
        await director.pause(2500);
        director.terminal.kill('SIGKILL');
        await director.pause(1500);
        await director.snap('killed-while-working', NOTHING);
      },
    },
  ];
}
