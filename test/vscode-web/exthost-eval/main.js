// Test only. Gives a test the `vscode` API of one window: it runs a function's source in this extension host and answers
// with JSON, over a unix socket in a folder (mode 0700) that only the test knows.
'use strict';
const net = require('node:net');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = (context) => {
  const folder = process.env.CORE_EVAL_DIR;
  if (!folder) return;
  globalThis.testContext = context;
  globalThis.require = require;
  const answer = async (request) => {
    const { source, args } = JSON.parse(request);
    try {
      return { value: await eval(`(${source})`)(vscode, ...args) };
    } catch (error) {
      return { error: String(error?.stack ?? error) };
    }
  };
  net
    .createServer((socket) => {
      let text = '';
      socket.setEncoding('utf8');
      socket.on('error', () => undefined);
      socket.on('data', async (data) => {
        text += data;
        if (text.endsWith('\n')) socket.end(JSON.stringify(await answer(text)) + '\n');
      });
    })
    .listen(path.join(folder, `${process.pid}.sock`));
};
