CREATE TABLE `account` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `api_key` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_key_hash` ON `api_key` (`hash`);--> statement-breakpoint
CREATE TABLE `attempt` (
	`delivery_id` text NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`status` integer,
	`duration_ms` integer NOT NULL,
	`error` text,
	`response_excerpt` text,
	PRIMARY KEY(`delivery_id`, `seq`),
	FOREIGN KEY (`delivery_id`) REFERENCES `delivery`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `call` (
	`id` text PRIMARY KEY NOT NULL,
	`direction` text NOT NULL,
	`status` text NOT NULL,
	`end_reason` text,
	`sip_code` integer,
	`to_number` text NOT NULL,
	`from_number` text NOT NULL,
	`instructions` text NOT NULL,
	`first_message` text,
	`name` text,
	`metadata` text,
	`max_duration_seconds` integer NOT NULL,
	`call_at` integer,
	`attempt` integer NOT NULL,
	`cents_per_minute` integer NOT NULL,
	`hold_cents` integer NOT NULL,
	`summary` text,
	`cost_cents` integer NOT NULL,
	`duration_seconds` integer NOT NULL,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`ended_at` integer,
	`heartbeat_at` integer,
	`sip_state` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `call_active` ON `call` (`to_number`) WHERE status in ('initiated', 'ringing', 'in_progress');--> statement-breakpoint
CREATE INDEX `call_newest` ON `call` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `call_by_status` ON `call` (`status`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `call_by_number` ON `call` (`to_number`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `call_to_end` ON `call` (`ended_at`) WHERE sip_state is not null;--> statement-breakpoint
CREATE TABLE `call_event` (
	`call_id` text NOT NULL,
	`seq` integer NOT NULL,
	`type` text NOT NULL,
	`data` text NOT NULL,
	PRIMARY KEY(`call_id`, `seq`),
	FOREIGN KEY (`call_id`) REFERENCES `call`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `delivery` (
	`id` text PRIMARY KEY NOT NULL,
	`webhook_id` text NOT NULL,
	`event` text NOT NULL,
	`call_id` text,
	`body` text NOT NULL,
	`state` text NOT NULL,
	`failures` integer NOT NULL,
	`next_attempt_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`webhook_id`) REFERENCES `webhook`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`call_id`) REFERENCES `call`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `delivery_newest` ON `delivery` (`webhook_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `delivery_open` ON `delivery` (`webhook_id`,`state`,`created_at`,`id`) WHERE state in ('pending', 'waiting');--> statement-breakpoint
CREATE TABLE `idempotency` (
	`key_id` text NOT NULL,
	`key` text NOT NULL,
	`body_hash` text NOT NULL,
	`response` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`key_id`, `key`)
);
--> statement-breakpoint
CREATE INDEX `idempotency_age` ON `idempotency` (`created_at`);--> statement-breakpoint
CREATE TABLE `job` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`lane` text,
	`run_at` integer NOT NULL,
	`state` text NOT NULL,
	`attempt` integer NOT NULL,
	`fence` integer NOT NULL,
	`lease_owner` text,
	`lease_until` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `job_key` ON `job` (`kind`,`key`);--> statement-breakpoint
CREATE INDEX `job_ready` ON `job` (`lane`,`run_at`,`id`) WHERE state = 'ready';--> statement-breakpoint
CREATE INDEX `job_running` ON `job` (`lane`) WHERE state = 'leased';--> statement-breakpoint
CREATE INDEX `job_lease` ON `job` (`lease_until`) WHERE state = 'leased';--> statement-breakpoint
CREATE TABLE `lane` (
	`name` text PRIMARY KEY NOT NULL,
	`capacity` integer,
	`open_at` integer NOT NULL,
	`pace_ms` integer NOT NULL,
	`last_start_at` integer,
	`last_start_job` text
);
--> statement-breakpoint
CREATE TABLE `ledger_entry` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`seq` integer NOT NULL,
	`amount_cents` integer NOT NULL,
	`balance_cents` integer NOT NULL,
	`kind` text NOT NULL,
	`call_id` text,
	`at` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `account`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`call_id`) REFERENCES `call`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_entry_seq` ON `ledger_entry` (`account_id`,`seq`);--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_entry_call` ON `ledger_entry` (`call_id`) WHERE kind = 'call';--> statement-breakpoint
CREATE TABLE `setting` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `turn` (
	`call_id` text NOT NULL,
	`turn` integer NOT NULL,
	`role` text NOT NULL,
	`text` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`call_id`, `turn`),
	FOREIGN KEY (`call_id`) REFERENCES `call`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `turn_timing` (
	`call_id` text NOT NULL,
	`turn` integer NOT NULL,
	`speech_end` integer NOT NULL,
	`final_text` integer,
	`first_token` integer,
	`first_sound` integer,
	`on_wire` integer,
	PRIMARY KEY(`call_id`, `turn`),
	FOREIGN KEY (`call_id`) REFERENCES `call`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `webhook` (
	`id` text PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`active` integer NOT NULL,
	`consecutive_failures` integer NOT NULL,
	`disabled_at` integer,
	`created_at` integer NOT NULL,
	`secret` text NOT NULL,
	`previous_secret` text,
	`previous_secret_until` integer
);
