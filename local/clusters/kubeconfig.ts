interface Entry {
  name: string
  port: number
  certificate: string
  token: string
}

/** A kubeconfig with one context per cluster, of the cluster's name. It is JSON, which is YAML too. */
export function kubeconfigOf(entries: Entry[], current: string) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: entries.map(({ name, port, certificate }) => ({
      name,
      cluster: {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': Buffer.from(certificate).toString('base64'),
      },
    })),
    users: entries.map(({ name, token }) => ({ name, user: { token } })),
    contexts: entries.map(({ name }) => ({ name, context: { cluster: name, user: name, namespace: 'default' } })),
  }
}

export type Kubeconfig = ReturnType<typeof kubeconfigOf>
