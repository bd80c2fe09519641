/** Money is integer cents. The ledger is append-only; the balance is its sum. */
export interface Account {
  id: string
  name: string
  balanceCents: number
}

export interface LedgerEntry {
  id: string
  amountCents: number
  kind: 'credit' | 'call'
  callId: string | null
  at: number
}

export interface LedgerStore {
  account(): Promise<Account>
  credit(entry: { id: string; amountCents: number; at: number }): Promise<Account>
}

/** An API key as stored: only its hash is kept. */
export interface ApiKey {
  id: string
  name: string
  createdAt: number
  revokedAt: number | null
}

export interface KeyStore {
  create(key: { id: string; name: string; hash: string; createdAt: number }): Promise<void>
  /** The unrevoked key with this SHA-256 hash. */
  findByHash(hash: string): Promise<ApiKey | null>
  list(): Promise<ApiKey[]>
  revoke(id: string, at: number): Promise<boolean>
}
