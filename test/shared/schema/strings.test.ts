import { describe, expect, it } from 'vitest'
import { check } from '../../../shared/schema/check.ts'
import { ProvisionRequest } from '../../../shared/schema/provision-request.ts'

/** Requests that together have every field there is. */
const requests: object[] = [
  {
    template: 'linux-small',
    namespace: 'shop',
    owner: { kind: 'Group', name: 'team-shop' },
    requester: 'ann@example.com',
    name: 'web-01',
    environment: 'prod',
    application: 'shop',
    namePattern: '{environment}-{application}-{number:3}',
    labels: { tier: 'web' },
    size: { instancetype: 'u1.small', preference: 'rhel.9' },
    rootDisk: { size: '40Gi', storageClass: 'fast' },
    disks: [{ name: 'data', size: '5Gi', storageClass: 'fast' }],
    networks: [{ network: 'servers', addresses: ['10.20.0.17'] }],
    customizations: ['base-linux'],
    variables: { greeting: 'hello' },
    placement: {
      clusterSets: ['global'],
      predicates: [
        {
          labels: { region: 'eu-west' },
          expressions: [{ key: 'region', operator: 'In', values: ['eu-west'] }],
          claims: [{ key: 'version', operator: 'Exists' }],
        },
      ],
      prioritizers: [{ score: 'Steady', weight: 1 }],
      tolerations: [{ key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSelect' }],
    },
    callback: { url: 'https://portal.example.com/done' },
    deadlineMinutes: 30,
    ticket: 'CHG-1',
  },
  {
    template: 'linux-small',
    namespace: 'shop',
    owner: { kind: 'User', name: 'ann' },
    size: { cores: 2, memory: '4Gi', preference: 'rhel.9' },
    placement: { cluster: 'site-a' },
    attach: [{ name: 'data', disk: 'old-01-data-data-1a2b3c' }],
    plan: true,
  },
]

type Place = [where: string, request: object]

/** Each string of a request replaced by another text, one at a time; keys of maps as well. */
function* replaced(value: unknown, text: string, where = ''): Generator<Place> {
  if (typeof value === 'string') yield [where, text as unknown as object]
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${where}[${key}]` : where === '' ? key : `${where}.${key}`
    for (const [place, changed] of replaced(inner, text, at))
      yield [
        place,
        Array.isArray(value) ? value.map((one, i) => (`${i}` === key ? changed : one)) : { ...value, [key]: changed },
      ]
  }
}

const everywhere = (text: string) => requests.flatMap((request) => [...replaced(request, text)])
const problemsOf = (request: object) => {
  const checked = check(ProvisionRequest, request, 'the request')
  return checked.ok ? [] : checked.problems
}
/** The names of all fields that a schema knows. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties = {} } = schema as { properties?: object }
  return [...Object.keys(properties), ...Object.values(schema).flatMap(fieldsOf)]
}

describe('a request', () => {
  it('is right with each of its fields', () => {
    expect(requests.flatMap(problemsOf)).toEqual([])
    const tested = new Set(JSON.stringify(requests).match(/[a-zA-Z]+(?=":)/g))
    expect(fieldsOf(ProvisionRequest).filter((field) => !tested.has(field))).toEqual([])
  })

  it.each(everywhere('fine\nevil: true').map(([where, request]) => ({ where, request })))(
    'takes no newline at $where',
    ({ where, request }) => {
      expect(problemsOf(request)).not.toEqual([])
      expect(problemsOf(request).join('\n')).toContain(where.replace(/^(size|placement)\b.*/, '$1'))
    },
  )

  // What stands for a person or a text is one printable line and nothing more; it never comes near a shell (git-lines.test.ts).
  const texts = ['requester', 'variables.greeting']

  it.each(everywhere('$(touch /tmp/evil); `id` | sh').map(([where, request]) => ({ where, request })))(
    'takes shell text at $where only where any text may stand',
    ({ where, request }) => expect(problemsOf(request).length === 0).toBe(texts.includes(where)),
  )
})
