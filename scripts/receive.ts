import { parseArgs } from 'node:util'
import { openClusters } from '../shared/clients/clusters.ts'
import { environment } from '../shared/config.ts'
import { messageOf } from '../shared/errors.ts'
import type { Event } from '../shared/event.ts'
import { readEventFile } from './event-file.ts'
import { openFolder } from './folder-tree.ts'
import { type Replayed, replay } from './replay.ts'

/** `npm run receive -- test/events/<saved event>.json`: one function on one event; prints its answer, changes nothing. */

const usage = 'npm run receive -- EVENT.json [--fleet DIR] [--kubeconfig FILE] [--hub CONTEXT] [--patience SECONDS]'

const settings = {
  repoUrl: 'https://git.example.com/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'default',
  rootApplication: 'drover-hub',
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      fleet: { type: 'string', default: 'examples/fleet' },
      kubeconfig: { type: 'string' },
      hub: { type: 'string', default: 'hub' },
      patience: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(`${usage}\n`)
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0)
    throw new Error(`Cannot receive: ${file === undefined ? 'no event is' : 'more than one event is'} named; ${usage}`)
  const patience = Number(values.patience)
  if (!(patience >= 0))
    throw new Error(`Cannot receive: --patience is "${values.patience}", wanted a number of seconds`)
  const kubeconfig = values.kubeconfig ?? environment()['KUBECONFIG']
  const { event } = await readEventFile(file)
  const replayed = await replay(event, {
    fleet: await openFolder(values.fleet),
    clusters: kubeconfig
      ? openClusters({ kubeconfig, hubContext: values.hub, argocdNamespace: settings.namespace })
      : undefined,
    settings,
    patienceMilliseconds: patience * 1000,
  })
  process.stderr.write(`Tried on a copy of ${values.fleet}: nothing was reserved, pushed or told.\n`)
  process.stdout.write(shown(replayed))
  if (replayed.answer.status >= 400) process.exitCode = 1
}

/** The status, and below it the event or the sentence; before them, what would have been posted. */
function shown({ answer, posted }: Replayed): string {
  const lines = posted.map((event) => `posted ${pretty(event)}`)
  if ('event' in answer) return `${[...lines, answer.status, pretty(answer.event)].join('\n')}\n`
  return `${[...lines, answer.status, ...('message' in answer ? [answer.message] : [])].join('\n')}\n`
}

const pretty = ({ extensions, data, ...attributes }: Event) =>
  JSON.stringify(
    { specversion: '1.0', ...attributes, ...extensions, datacontenttype: 'application/json', data },
    null,
    2,
  )

try {
  await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
