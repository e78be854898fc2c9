/** A first fleet file: two agents that need no model and no key, to be replaced by real ones. */
export const fleetTemplate = `{
  "version": 1,
  "agents": [
    {
      "name": "Scout",
      "type": "demo",
      "folder": ".",
      "team": "demo",
      "firstPrompt": "Have a look around"
    },
    {
      "name": "Shell",
      "type": "shell",
      "folder": "."
    }
  ]
}
`;
