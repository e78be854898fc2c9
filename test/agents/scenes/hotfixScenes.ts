import type { Director } from './director';
import { type Overlay, overlayScene } from './ownScenes';
import { DRAFT, FAILED, IDLE, PERMISSION, type Dialect, type Scene, WORKING } from './scene';

const SESSION =
  'I tried it by hand:\n\n```console\n$ ./serve --port 8080\n> listening on 8080 (press ctrl+c to stop)\n^C\n$ ./serve --port 80\n> Do you really want a port below 1024? [y/N] n\n› stopped\n```\n\nSo the option works; only the *default* is wrong.';
const SETTINGS =
  'The settings that it reads:\n\n```json\n{\n  "server": { "port": 8080, "hosts": ["localhost", "::1"] },\n  "retry": { "attempts": 5, "waitMs": 250, "message": "retrying in 4s" },\n  "labels": { "esc": "cancel", "enter": "confirm" }\n}\n```';
const FUNCTION =
  'This is the corrected loop:\n\n```go\nfor attempt := 1; attempt <= max; attempt++ {\n\tif err := connect(ctx); err == nil {\n\t\treturn nil\n\t}\n\tlog.Printf("Reconnecting... %d/%d", attempt, max)\n}\n```\n\nIt no longer waits after the last attempt. ';
const TRACE =
  "printf 'FAIL  test/serve.test.js\\n  ● serve › uses the default port\\n\\n    expect(received).toBe(expected)\\n\\n    Expected: 8080\\n    Received: 80\\n\\n      at Object.<anonymous> (test/serve.test.js:14:22)\\n\\nTests:  1 failed, 41 passed, 42 total\\n'; exit 1";
const CONTAINER =
  'docker run --rm -it --name hotfix -v "$PWD":/app -w /app -e PORT=8080 -p 8080:8080 node:22-alpine sh -c "npm ci && npm test -- --grep \'default port\'"';
const LINK =
  'https://reports.example.org/projects/serve/issues/4711?view=all&sort=-created&filter=label%3Ahotfix%20AND%20state%3Aopen#comment-90210 says it began with 3.1, is that so?';

/** A hotfix after the release: recorded to judge the rules anew after those were mended for what was wrong in `releaseScenes`. */
export function hotfixScenes(dialect: Dialect, refusedBy: number, overlays: readonly Overlay[]): readonly Scene[] {
  const scenes: readonly Scene[] = [
    { name: 'hotfix-talk', play: talk },
    { name: 'hotfix-asked', play: (director) => asked(director, dialect) },
    { name: 'hotfix-tools', setup: { permission: 'all' }, play: (director) => tools(director, refusedBy) },
    overlayScene(overlays, 'hotfix-overlays'),
  ];
  return scenes.map((scene) => ({ ...scene, set: 'heldOut' }));
}

/** Esc, and once more where it still works. */
async function interrupt(director: Director): Promise<void> {
  await director.keys('Escape');
  await director.pause(600);
  if (await director.isWorking()) await director.keys('Escape');
  await director.finished();
}

async function talk(director: Director): Promise<void> {
  await director.ready();
  await director.paste('👍');
  await director.take('hotfix-draft-thumb', DRAFT);
  await director.clear();
  await director.ask(`What happens with port 80? [[reply: ${SESSION}]]`);
  await director.finished();
  await director.take('hotfix-answered-session', IDLE);
  await director.ask(`Show the settings. [[think: 1]][[reply: ${SETTINGS}]]`);
  await director.finished();
  await director.take('hotfix-answered-settings', IDLE);
  await director.type(LINK);
  await director.take('hotfix-draft-link', DRAFT);
  await director.clear();
  await director.ask(`Correct the loop. [[reply: ${FUNCTION}]][[slow: 25]]`);
  await director.pause(2800);
  await director.snap('hotfix-streaming-loop', WORKING);
  await interrupt(director);
  await director.take('hotfix-interrupted-loop', IDLE);
  await director.ask('Just the first line. [[wait: 3]][[reply: for attempt := 1; attempt <= max; attempt++ {]]');
  await director.pause(1400);
  await director.snap('hotfix-waiting', WORKING);
  await director.pause(1500);
  await director.finished();
  await director.take('hotfix-answered-line', IDLE);
}

async function asked(director: Director, { permission, nextOptionKey = 'Down' }: Dialect): Promise<void> {
  const ask = async (prompt: string): Promise<void> => {
    await director.ask(prompt);
    await director.until(permission);
  };
  await director.ready();
  await ask(`Test it in a container. [[think: 1]][[sudo: ${CONTAINER}]]`);
  await director.take('hotfix-asked-container', PERMISSION);
  await director.keys(nextOptionKey);
  await director.take('hotfix-asked-container-second-answer', PERMISSION);
  await director.keys('Escape');
  await director.pause(500);
  await director.finished();
  await director.take('hotfix-refused-container', IDLE);
  await ask("Here, then. [[sudo: touch tested && sleep 4 && echo '42 passed (esc to cancel)']][[reply: All passed.]]");
  await director.take('hotfix-asked-here', PERMISSION);
  await director.keys('Enter');
  await director.pause(1900);
  await director.snap('hotfix-testing-here', WORKING);
  await director.pause(6500); // what the command prints looks like work
  await director.take('hotfix-tested-here', IDLE);
  await ask('Delete the branch. [[reply: The branch is merged: I delete it.]][[sudo: git branch -D hotfix/port && git push origin :hotfix/port]]'); // prettier-ignore
  await director.take('hotfix-asked-delete', PERMISSION);
}

async function tools(director: Director, refusedBy: number): Promise<void> {
  await director.ready();
  await director.ask(`Run the tests. [[bash: ${TRACE}]][[reply: One of 42 fails: the default port.]]`);
  await director.finished();
  await director.take('hotfix-failed-test', IDLE);
  await director.ask('Wait for the build. [[bash: sleep 68; echo built]][[reply: It is built.]]');
  await director.pause(63_000);
  const { lines } = await director.terminal.look();
  // One program lets a long command go on in the background after some seconds.
  if (!/It is built\.$/m.test(lines.join('\n'))) await director.snap('hotfix-second-minute', WORKING);
  await director.pause(4000);
  await director.finished();
  await director.take('hotfix-built', IDLE);
  await director.ask(`Publish it. [[reply: I publish 3.1.1 now.]][[error: ${refusedBy}]]`);
  await director.pause(1800);
  await director.finished();
  await director.take('hotfix-refused-request', FAILED);
  await director.ask('Is it out? [[bash: echo 3.1.1]][[reply: Yes, since a minute ago.]]');
  await director.finished();
  await director.take('hotfix-published', IDLE);
}
